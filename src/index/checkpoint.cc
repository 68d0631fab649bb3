#include "index/checkpoint.h"

#include <charconv>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/failpoint.h"
#include "index/answer.h"
#include "index/limits.h"
#include "index/target.h"
#include "journal/limits.h"

namespace pawl::index {
namespace {

using engine::Remembered;
using Json = nlohmann::ordered_json;  // a user's keys keep their order

constexpr std::uint64_t format = 2;
constexpr std::uint64_t format_without_identity = 1;
constexpr const char* meta_key = "pawl";

std::unexpected<Error> damaged(const std::string& index, std::string_view what) {
    return fail(
        ErrorKind::invalid,
        fmt::format("index {}: what _meta.pawl in its mapping says cannot be used: {}", index, what),
        fmt::format(
            "if nobody needs it, take it out: GET /{0}/_mapping, and PUT /{0}/_mapping with its _meta "
            "less \"pawl\"; pawl then goes over the whole index again",
            index));
}

std::optional<std::uint64_t> hex_in(const Json& value) {
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number, 16);
    if (text.size() != 16 || parsed.ec != std::errc{} || parsed.ptr != text.data() + text.size())
        return std::nullopt;
    return number;
}

std::optional<engine::Revision> revision_in(const Json& value) {
    if (!value.is_number_unsigned() || value.get<std::uint64_t>() > journal::revision_max)
        return std::nullopt;
    return value.get<std::uint64_t>();
}

// A short text without control characters; nothing else may get into the journal or a message.
std::optional<std::string> name_in(const Json& value, std::size_t bytes_max) {
    if (!value.is_string()) return std::nullopt;
    const auto& text = value.get_ref<const std::string&>();
    if (text.empty() || bounded(text, bytes_max) != text) return std::nullopt;
    return text;
}

const Json* at(const Json& object, const char* name) {
    if (!object.is_object()) return nullptr;
    const auto found = object.find(name);
    return found == object.end() ? nullptr : &*found;
}

template <class Value, class Read>
bool read_member(const Json& object, const char* name, Read parse, Value& into) {
    const Json* const value = at(object, name);
    if (value == nullptr) return false;
    auto parsed = parse(*value);
    if (parsed) into = std::move(*parsed);
    return parsed.has_value();
}

std::optional<journal::SourceIdentity> source_in(const Json& value) {
    const auto name = [](const Json& text) { return name_in(text, journal::limits::identity_bytes_max); };
    journal::SourceIdentity source;
    std::string mode;
    if (!read_member(value, "mode", name, mode) || !read_member(value, "database", name, source.database) ||
        !read_member(value, "table", name, source.table))
        return std::nullopt;
    for (const auto known : {journal::SourceMode::revision, journal::SourceMode::outbox}) {
        if (mode != journal::name_of(known)) continue;
        source.mode = known;
        return source;
    }
    return std::nullopt;
}

std::optional<journal::Anchor> anchor_in(const Json& value) {
    journal::Anchor anchor;
    if (!read_member(value, "revision", revision_in, anchor.revision) ||
        !read_member(value, "digest", hex_in, anchor.digest))
        return std::nullopt;
    return anchor;
}

std::optional<journal::IntervalSet> owed_in(const Json& value) {
    if (!value.is_array() || value.size() > engine::limits::owed_max) return std::nullopt;
    journal::IntervalSet owed;
    for (const Json& each : value) {
        const auto revision = revision_in(each);
        if (!revision || *revision == 0) return std::nullopt;
        owed.insert(*revision);
    }
    return owed;
}

std::string hex(std::uint64_t number) {
    return fmt::format("{:016x}", number);
}

Json to_json(const Remembered& remembered) {
    Json written{{"format", format},
                 {"pipeline", remembered.pipeline},
                 {"source",
                  {{"mode", journal::name_of(remembered.source.mode)},
                   {"database", remembered.source.database},
                   {"table", remembered.source.table}}},
                 {"revision", remembered.revision}};
    if (!remembered.entities.empty()) written["entities"] = remembered.entities;
    for (const journal::Interval& interval : remembered.owed.intervals())
        for (auto revision = interval.first; revision <= interval.last; ++revision)
            written["owed"].push_back(revision);
    if (remembered.anchor)
        written["anchor"] = {{"revision", remembered.anchor->revision},
                             {"digest", hex(remembered.anchor->digest)}};
    written["shape"] = hex(remembered.shape);
    if (remembered.filling) written["filling"] = true;
    if (!remembered.replaces.empty()) written["replaces"] = remembered.replaces;
    written["written_at"] = to_iso8601(remembered.written_at);
    return written;
}

}  // namespace

Result<std::optional<Remembered>> remembered_in(std::string_view meta, const std::string& index) {
    if (meta.empty()) return std::nullopt;
    const auto parsed = Json::parse(meta, nullptr, false);
    const Json* const found = at(parsed, meta_key);
    if (found == nullptr) return std::nullopt;
    const Json* const version = at(*found, "format");
    if (version == nullptr || !version->is_number_unsigned()) return damaged(index, "it has no format");
    const auto number = version->get<std::uint64_t>();
    if (number != format && number != format_without_identity)
        return fail(ErrorKind::invalid,
                    fmt::format("index {}: its _meta.pawl has format {}, this pawl knows format {}", index,
                                number, format),
                    "it was written by a newer pawl: upgrade this one");
    Remembered remembered;
    const auto name = [](const Json& text) {
        return name_in(text, journal::limits::pipeline_name_bytes_max);
    };
    const auto time = [](const Json& text) -> std::optional<TimeMs> {
        return text.is_string() ? from_iso8601(text.get_ref<const std::string&>()) : std::nullopt;
    };
    if (!read_member(*found, "pipeline", name, remembered.pipeline)) return damaged(index, "its pipeline");
    if (!read_member(*found, "source", source_in, remembered.source)) return damaged(index, "its source");
    if (!read_member(*found, "revision", revision_in, remembered.revision))
        return damaged(index, "its revision");
    if (!read_member(*found, "shape", hex_in, remembered.shape)) return damaged(index, "its shape");
    if (number == format_without_identity) remembered.shape = 0;  // see journal/FORMAT.md, type 10
    if (!read_member(*found, "written_at", time, remembered.written_at))
        return damaged(index, "its written_at");
    if (at(*found, "owed") != nullptr && !read_member(*found, "owed", owed_in, remembered.owed))
        return damaged(index, "its owed");
    const auto flag = [](const Json& value) -> std::optional<bool> {
        return value.is_boolean() ? std::optional(value.get<bool>()) : std::nullopt;
    };
    if (at(*found, "filling") != nullptr && !read_member(*found, "filling", flag, remembered.filling))
        return damaged(index, "its filling");
    const auto text = [](const Json& value) { return name_in(value, journal::limits::identity_bytes_max); };
    if (at(*found, "entities") != nullptr && !read_member(*found, "entities", text, remembered.entities))
        return damaged(index, "its entities");
    if (at(*found, "replaces") != nullptr && !read_member(*found, "replaces", text, remembered.replaces))
        return damaged(index, "its replaces");
    if (!remembered.owed.empty() && remembered.owed.highest() > remembered.revision)
        return damaged(index, "it owes what is above its revision");
    if (at(*found, "anchor") != nullptr && !read_member(*found, "anchor", anchor_in, remembered.anchor))
        return damaged(index, "its anchor");
    return remembered;
}

namespace {

std::string text_of(const Json& meta) {
    return meta.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json object_in(std::string_view meta) {
    auto parsed = Json::parse(meta, nullptr, false);
    return parsed.is_object() ? parsed : Json::object();
}

Result<void> put_meta(const Call& call, const std::string& index, const std::string& meta) {
    const auto written =
        call_ok(call, put_request("/" + percent_encoded(index) + "/_mapping", "{\"_meta\":" + meta + "}"));
    return written ? Result<void>{} : std::unexpected(written.error());
}

// The index was restored, or made anew, while the checkpoint was on its way, which says what only the one
// before holds: as its memory it would hide that this one lacks it. What its own was is not known any more;
// none is what a pipeline knows what to do with.
Result<void> take_back(const Call& call, const Target& target, const Remembered& remembered) {
    const auto now = remembered_in(target.meta, target.identity.index);
    if (!now || *now != remembered) return {};
    Json rest = object_in(target.meta);
    rest.erase(meta_key);
    return put_meta(call, target.identity.index, text_of(rest));
}

}  // namespace

std::string meta_with(std::string_view meta, const Remembered& remembered) {
    Json merged = object_in(meta);
    merged[meta_key] = to_json(remembered);
    return text_of(merged);
}

Result<void> write_checkpoint(const Call& call, const std::string& alias, const std::string& index_uuid,
                              const Remembered& remembered) {
    const auto is_meant = [&](const std::optional<Target>& target) {
        return target && target->identity.uuid == index_uuid;
    };
    const auto moved = [&] {
        return fail(ErrorKind::target_missing, fmt::format("alias {} leads to another index by now", alias));
    };
    const auto target = find_target(call, alias);
    if (!target) return std::unexpected(target.error());
    if (!is_meant(*target)) return moved();
    const std::string& index = (*target)->identity.index;
    if ((*target)->is_async_durable) {
        auto flush = get_request("/" + percent_encoded(index) + "/_flush?wait_if_ongoing=true");
        flush.method = Method::post;
        if (auto flushed = on_all_shards(call, std::move(flush), "flushed"); !flushed) return flushed;
    }
    failpoint::at("before:put_checkpoint");
    const auto written = put_meta(call, index, meta_with((*target)->meta, remembered));
    failpoint::at("after:put_checkpoint");
    // Also where the answer is missing: it may have been written.
    const auto read_back = find_target(call, alias);
    if (!read_back) return std::unexpected(read_back.error());
    if (!is_meant(*read_back)) {
        const bool came_here = *read_back && (*read_back)->identity.index == index;
        if (came_here && !take_back(call, **read_back, remembered))
            static_cast<void>(
                take_back(call, **read_back, remembered));  // once more; what else could be done?
        return moved();
    }
    if (!written) return written;
    const auto now = remembered_in((*read_back)->meta, index);
    if (!now) return std::unexpected(now.error());
    if (*now == remembered) return {};
    return fail(ErrorKind::unavailable,
                fmt::format("index {}: its _meta.pawl was written and is another one now", index),
                "see whether something else writes the mapping's _meta");
}

}  // namespace pawl::index
