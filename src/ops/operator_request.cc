#include "ops/operator_request.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <optional>
#include <system_error>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "base/failpoint.h"
#include "base/time.h"
#include "ops/limits.h"

namespace pawl::ops {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view suffix = ".json";

std::string_view name_of(OperatorRequest::Ask ask) {
    switch (ask) {
        case OperatorRequest::Ask::retry_quarantine:
            return "retry_quarantine";
        case OperatorRequest::Ask::drop_quarantine:
            return "drop_quarantine";
        case OperatorRequest::Ask::repair:
            return "repair";
    }
    PAWL_ASSERT(!"a closed list");
    return {};
}

std::optional<OperatorRequest::Ask> ask_named(const json& name) {
    using Ask = OperatorRequest::Ask;
    for (const Ask ask : {Ask::retry_quarantine, Ask::drop_quarantine, Ask::repair})
        if (name == name_of(ask)) return ask;
    return std::nullopt;
}

// [[1,5],[9,9]]
std::optional<journal::IntervalSet> revisions_in(const json& list) {
    if (!list.is_array() || list.empty()) return std::nullopt;
    std::vector<journal::Interval> intervals;
    for (const json& pair : list) {
        if (!pair.is_array() || pair.size() != 2 || !pair[0].is_number_unsigned() ||
            !pair[1].is_number_unsigned())
            return std::nullopt;
        const journal::Interval interval{pair[0].get<std::uint64_t>(), pair[1].get<std::uint64_t>()};
        if (interval.first < 1 || interval.first > interval.last || interval.last > journal::revision_max)
            return std::nullopt;
        intervals.push_back(interval);
    }
    journal::IntervalSet revisions(intervals);
    if (revisions.count() > limits::repair_revisions_max) return std::nullopt;
    return revisions;
}

Result<OperatorRequest> parse(const std::string& text, const fs::path& file) {
    const auto refuse = [&](std::string_view why) {
        return fail(ErrorKind::invalid, fmt::format("operator request {}: {}", file.string(), why),
                    "repeat the pawl command that left it; the file was set aside as .bad");
    };
    const json document = json::parse(text, nullptr, false);
    if (!document.is_object()) return refuse("not a JSON object");
    OperatorRequest request;
    const auto ask = document.find("ask");
    const auto pipeline = document.find("pipeline");
    const auto entities = document.find("entities");
    if (ask == document.end() || pipeline == document.end() || !pipeline->is_string() ||
        entities == document.end() || !entities->is_array())
        return refuse("wants ask, pipeline and entities");
    const auto known = ask_named(*ask);
    if (!known) return refuse("asks for something unknown");
    request.ask = *known;
    if (request.ask == OperatorRequest::Ask::repair) {
        auto revisions = revisions_in(document.value("revisions", json()));
        if (!revisions) return refuse("wants revisions, as intervals, and not too many");
        request.revisions = std::move(*revisions);
    }
    request.pipeline = pipeline->get<std::string>();
    for (const json& entity : *entities) {
        if (!entity.is_string()) return refuse("an entity is not a string");
        request.entities.push_back(entity.get<std::string>());
    }
    return request;
}

Result<std::string> read_bounded(const fs::path& file) {
    std::error_code problem;
    const auto bytes = fs::file_size(file, problem);
    if (problem || bytes > limits::operator_request_bytes_max)
        return fail(ErrorKind::invalid,
                    fmt::format("operator request {}: larger than {} bytes or not readable", file.string(),
                                limits::operator_request_bytes_max));
    std::ifstream stream(file, std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(stream), {});
}

}  // namespace

Result<void> leave(const fs::path& journal, const OperatorRequest& request) {
    const fs::path folder = journal / "requests";
    std::error_code problem;
    fs::create_directory(folder, problem);
    fs::permissions(folder, fs::perms::owner_all, problem);
    // Run as root, `pawl quarantine` must leave what the daemon's user can read and remove.
    struct stat owner{};
    const bool as_root = ::geteuid() == 0 && ::stat(journal.c_str(), &owner) == 0;
    const auto hand_over = [&](const fs::path& path) {
        if (as_root && ::chown(path.c_str(), owner.st_uid, owner.st_gid) != 0)
            problem = std::make_error_code(std::errc::permission_denied);
    };
    hand_over(folder);
    const std::string name = fmt::format("{}-{}", clock_now(), ::getpid());
    const fs::path unfinished = folder / (name + ".part");
    const fs::path finished = folder / (name + std::string(suffix));
    {
        std::ofstream stream(unfinished, std::ios::binary);
        json text{
            {"ask", name_of(request.ask)}, {"pipeline", request.pipeline}, {"entities", request.entities}};
        for (const journal::Interval& interval : request.revisions.intervals())
            text["revisions"].push_back({interval.first, interval.last});
        stream << text.dump();
        stream.close();
        if (!stream) problem = std::make_error_code(std::errc::io_error);
    }
    if (!problem) hand_over(unfinished);
    if (!problem) fs::rename(unfinished, finished, problem);
    if (problem)
        return fail(ErrorKind::invalid,
                    fmt::format("cannot write {}: {}", finished.string(), problem.message()),
                    "run it as the user that owns the journal folder");
    return {};
}

std::vector<OperatorRequest> waiting_requests(const fs::path& journal, std::vector<Error>& problems) {
    std::vector<fs::path> files;
    std::error_code problem;
    for (fs::directory_iterator entry(journal / "requests", problem), end; !problem && entry != end;
         entry.increment(problem))
        if (entry->path().extension() == suffix && files.size() < limits::operator_requests_max)
            files.push_back(entry->path());
    std::sort(files.begin(), files.end());

    std::vector<OperatorRequest> requests;
    for (const fs::path& file : files) {
        const auto text = read_bounded(file);
        auto request = text ? parse(*text, file) : Result<OperatorRequest>(std::unexpected(text.error()));
        if (request) {
            request->file = file;
            requests.push_back(std::move(*request));
        } else {
            fs::rename(file, fs::path(file) += ".bad", problem);
            problems.push_back(std::move(request.error()));
        }
    }
    return requests;
}

void remove_requests(const std::vector<fs::path>& files) {
    std::error_code problem;  // a file that stays is asked again: no harm
    for (const fs::path& file : files) {
        failpoint::at("before:remove_request");
        fs::remove(file, problem);
        failpoint::at("after:remove_request");
    }
}

}  // namespace pawl::ops
