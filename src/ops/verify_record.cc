#include "ops/verify_record.h"

#include <algorithm>
#include <fstream>
#include <iterator>
#include <ranges>
#include <system_error>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "ops/limits.h"

namespace pawl::ops {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

fs::path folder_in(const fs::path& journal) {
    return journal / "verified";
}

fs::path record_file(const fs::path& journal, const std::string& pipeline) {
    return folder_in(journal) / (pipeline + ".json");
}

fs::path adoption_file(const fs::path& journal, const std::string& pipeline) {
    return folder_in(journal) / (pipeline + ".adopted.json");
}

Result<void> write(const fs::path& file, const json& content) {
    std::error_code problem;
    if (fs::create_directory(file.parent_path(), problem))
        fs::permissions(file.parent_path(), fs::perms::owner_all, problem);
    const fs::path unfinished = fs::path(file) += ".part";
    if (!problem) {
        std::ofstream stream(unfinished, std::ios::binary);
        stream << content.dump(-1, ' ', false, json::error_handler_t::replace);
        stream.close();
        if (!stream) problem = std::make_error_code(std::errc::io_error);
    }
    if (!problem) fs::rename(unfinished, file, problem);
    if (!problem) return {};
    return fail(ErrorKind::storage, fmt::format("cannot write {}: {}", file.string(), problem.message()));
}

// An object, or null.
json read(const fs::path& file) {
    std::error_code problem;
    const auto bytes = fs::file_size(file, problem);
    if (problem || bytes > limits::verify_record_bytes_max) return {};
    std::ifstream stream(file, std::ios::binary);
    auto content = json::parse(std::string(std::istreambuf_iterator<char>(stream), {}), nullptr, false);
    return content.is_object() ? content : json();
}

template <class Value>
bool take(const json& object, const char* key, Value& into) {
    const auto found = object.find(key);
    if (found == object.end()) return false;
    if constexpr (std::is_same_v<Value, std::string>) {
        if (!found->is_string()) return false;
    } else if constexpr (std::is_same_v<Value, bool>) {
        if (!found->is_boolean()) return false;
    } else {
        if (!found->is_number_unsigned()) return false;
    }
    into = found->template get<Value>();
    return true;
}

}  // namespace

bool VerifyRecord::equal() const {
    return std::ranges::all_of(differences | std::views::values, [](auto count) { return count == 0; });
}

VerifyRecord record_of(const VerifyReport& report, TimeMs at) {
    VerifyRecord record{.at = at,
                        .index = report.index,
                        .revision = report.revision,
                        .entities = report.entities,
                        .documents = report.documents,
                        .quarantined = report.quarantined,
                        .unsettled = report.unsettled,
                        .more_differences = report.more_differences,
                        .took_ms = report.took_ms};
    for (const verify::Kind kind : verify::kinds)
        record.differences[std::string(name_of(kind))] = report.count_of(kind);
    return record;
}

std::string counts_text(const VerifyRecord& record) {
    std::string text;
    for (const verify::Kind kind : verify::kinds)
        if (const auto found = record.differences.find(std::string(name_of(kind)));
            found != record.differences.end() && found->second > 0)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", found->second, found->first);
    return text + (record.more_differences ? " or more" : "");
}

Result<void> keep_record(const fs::path& journal, const std::string& pipeline, const VerifyRecord& record) {
    return write(record_file(journal, pipeline), {{"at", record.at},
                                                  {"error", record.error},
                                                  {"index", record.index},
                                                  {"revision", record.revision},
                                                  {"entities", record.entities},
                                                  {"documents", record.documents},
                                                  {"quarantined", record.quarantined},
                                                  {"unsettled", record.unsettled},
                                                  {"differences", record.differences},
                                                  {"more_differences", record.more_differences},
                                                  {"took_ms", record.took_ms}});
}

std::optional<VerifyRecord> read_record(const fs::path& journal, const std::string& pipeline) {
    const json content = read(record_file(journal, pipeline));
    VerifyRecord record;
    if (!take(content, "at", record.at) || !take(content, "error", record.error)) return std::nullopt;
    if (!record.error.empty()) return record;
    const bool sound =
        take(content, "index", record.index) && take(content, "revision", record.revision) &&
        take(content, "entities", record.entities) && take(content, "documents", record.documents) &&
        take(content, "quarantined", record.quarantined) && take(content, "unsettled", record.unsettled) &&
        take(content, "more_differences", record.more_differences) &&
        take(content, "took_ms", record.took_ms) && content.contains("differences");
    if (!sound) return std::nullopt;
    for (const verify::Kind kind : verify::kinds) {
        const std::string name(name_of(kind));
        if (!take(content["differences"], name.c_str(), record.differences[name])) return std::nullopt;
    }
    return record;
}

Result<void> note_adoption(const fs::path& journal, const std::string& pipeline, engine::Revision through) {
    return write(adoption_file(journal, pipeline), {{"through", through}});
}

std::optional<engine::Revision> noted_adoption(const fs::path& journal, const std::string& pipeline) {
    engine::Revision through = 0;
    if (!take(read(adoption_file(journal, pipeline)), "through", through)) return std::nullopt;
    return through;
}

void forget_adoption(const fs::path& journal, const std::string& pipeline) {
    std::error_code problem;  // one that stays only has it verified once more
    fs::remove(adoption_file(journal, pipeline), problem);
}

}  // namespace pawl::ops
