#include "index/target.h"

#include <algorithm>
#include <utility>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "base/failpoint.h"
#include "index/answer.h"
#include "index/checkpoint.h"
#include "index/duration.h"
#include "index/limits.h"
#include "index/rebuild_index.h"

namespace pawl::index {
namespace {

using nlohmann::json;

constexpr TimeMs second_ms = 1'000;

std::unexpected<Error> refused(const std::string& message, const std::string& advice) {
    return fail(ErrorKind::invalid, message, advice);
}

std::unexpected<Error> unreadable(const HttpResponse& response) {
    return fail(ErrorKind::unavailable, response.where + ": the answer cannot be understood",
                "see whether something else than Elasticsearch or OpenSearch answers at elasticsearch.urls");
}

// nullptr: there is nothing at that path of object keys.
const json* value_at(const json& root, const std::vector<std::string>& path) {
    const json* value = &root;
    for (const auto& key : path) {
        if (!value->is_object() || !value->contains(key)) return nullptr;
        value = &(*value)[key];
    }
    return value;
}

// A setting's text; with flat_settings all values are strings.
std::string setting(const json& settings, const std::string& name) {
    const auto found = settings.find(name);
    return found != settings.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// What a message shows and the journal keeps. Servers give no others; a journal that had to take them would
// not.
bool is_identity(const std::string& text) {
    return !text.empty() && bounded(text, limits::identity_bytes_max) == text;
}

// Which index takes the writes to an alias: {"lex-1":{"aliases":{"lex":{"is_write_index":true}}},…}
Result<std::string> write_index_of(const json& indices, const std::string& alias) {
    std::string only;
    for (const auto& [name, index] : indices.items()) {
        const json* const is_write_index = value_at(index, {"aliases", alias, "is_write_index"});
        if (is_write_index != nullptr && *is_write_index == true) return name;
        if (indices.size() == 1 && is_write_index == nullptr) only = name;
    }
    if (!only.empty()) return only;
    std::string names;
    for (const auto& [name, index] : indices.items())
        names += (names.empty() ? "" : ", ") + name;
    return refused(fmt::format("alias {} has no write index; it points to: {}", alias,
                               bounded(names, limits::error_reason_bytes_max)),
                   "name one with POST /_aliases {\"actions\":[{\"add\":{\"index\":\"…\",\"alias\":\"" +
                       alias + "\",\"is_write_index\":true}}]}, or remove the others from the alias");
}

// nullopt: there is no such alias.
Result<std::optional<std::string>> find_write_index(const Call& call, const std::string& alias) {
    const auto response = call(get_request("/_alias/" + percent_encoded(alias)));
    if (!response) return std::unexpected(response.error());
    if (response->status == 404) return std::nullopt;
    if (response->status != 200)
        return std::unexpected(error_of_status(response->where, response->status, response->body));
    const auto indices = json::parse(response->body, nullptr, false);
    if (!indices.is_object() || indices.empty()) return unreadable(*response);
    auto index = write_index_of(indices, alias);
    if (index && !is_identity(*index)) return unreadable(*response);
    return index;
}

Result<void> refuse_without_alias(const Call& call, const std::string& alias) {
    const auto response =
        call(get_request("/" + percent_encoded(alias) + "/_settings?filter_path=*.settings.index.uuid"));
    if (!response) return std::unexpected(response.error());
    if (response->status == 404) return {};
    if (response->status != 200)
        return std::unexpected(error_of_status(response->where, response->status, response->body));
    const auto indices = json::parse(response->body, nullptr, false);
    if (!indices.is_object()) return unreadable(*response);
    if (indices.contains(alias))
        return refused(
            fmt::format("{} is an index, not an alias: pawl could never put another index in its place",
                        alias),
            fmt::format(
                "set pipeline.index.alias to a new name, and give the index that alias if its documents "
                "shall be kept: PUT /{}/_alias/NAME",
                alias));
    if (!indices.empty())
        return refused(
            fmt::format("{} is a data stream; it cannot hold documents with external versions", alias),
            "set pipeline.index.alias to another name");
    return {};
}

Result<void> check_settings(const Target& target) {
    if (target.gc_deletes_ms >= limits::gc_deletes_min_ms) return {};
    return refused(fmt::format("index {}: index.gc_deletes is {} ms: a deleted document could come back",
                               target.identity.index, target.gc_deletes_ms),
                   fmt::format("PUT /{}/_settings {{\"index.gc_deletes\":\"{}\"}}", target.identity.index,
                               limits::gc_deletes_created));
}

// What the mapping says besides its fields.
Result<void> read_mapping(const Call& call, Target& target) {
    const std::string& index = target.identity.index;
    const auto response =
        call_ok(call, get_request("/" + percent_encoded(index) +
                                  "/_mapping?filter_path=*.mappings._routing,*.mappings._meta"));
    if (!response) return std::unexpected(response.error());
    // A user's keys in _meta keep their order.
    const auto answer = nlohmann::ordered_json::parse(response->body, nullptr, false);
    const auto mapping = [&](const char* name) {
        const auto pointer = nlohmann::ordered_json::json_pointer("/mappings") / name;
        return answer.contains(index) && answer[index].contains(pointer) ? answer[index][pointer]
                                                                         : nlohmann::ordered_json();
    };
    const auto routing = mapping("_routing");
    if (routing.is_object() && routing.contains("required") && routing["required"] == true)
        return refused(fmt::format("index {} wants a routing with each document (_routing.required)", index),
                       "use an index without it; pawl sends none");
    if (const auto meta = mapping("_meta"); meta.is_object())
        target.meta = meta.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
    return {};
}

std::string block_in(const json& settings) {
    for (const char* const name : {"read_only", "read_only_allow_delete", "write"})
        if (setting(settings, std::string("index.blocks.") + name) == "true") return name;
    return {};
}

Result<Target> read_target(const Call& call, const std::string& alias, const std::string& index) {
    const auto response =
        call_ok(call, get_request("/" + percent_encoded(index) + "/_settings?flat_settings=true"));
    if (!response) return std::unexpected(response.error());
    const auto answer = json::parse(response->body, nullptr, false);
    if (!answer.is_object()) return unreadable(*response);
    if (!answer.contains(index))
        return refused(
            fmt::format("alias {} points to {}, which is no index of its own (a data stream?)", alias, index),
            "let the alias point to an index");
    const json* const found = value_at(answer, {index, "settings"});
    if (found == nullptr || !found->is_object()) return unreadable(*response);
    const json& settings = *found;
    // An index that is restored over itself keeps its UUID, but begins a new history (seen on
    // Elasticsearch 8.19.7 and OpenSearch 2.19.3): what it holds is not what it held.
    auto uuid = setting(settings, "index.uuid");
    if (const auto history = setting(settings, "index.history.uuid"); !history.empty()) uuid += "." + history;
    if (!is_identity(uuid)) return unreadable(*response);

    Target target{.identity = {.alias = alias, .index = index, .uuid = uuid}};
    const auto gc_deletes = setting(settings, "index.gc_deletes");
    target.gc_deletes_ms =
        gc_deletes.empty() ? limits::gc_deletes_default_ms : duration_ms(gc_deletes).value_or(0);
    target.is_async_durable = setting(settings, "index.translog.durability") == "async";
    target.block = block_in(settings);
    return target;
}

// Somebody else was faster: the index of that name is there, or the alias has a write index already.
bool is_lost_race(const HttpResponse& response) {
    const auto words = words_in(response.body);
    return words.type == "resource_already_exists_exception" ||
           words.reason.find("more than one write index") != std::string::npos;
}

// Who may not refresh or count is told no.
Result<bool> holds_nothing(const Call& call, const std::string& index) {
    const auto count = count_documents(call, index);
    if (count) return *count == 0;
    if (count.error().kind == ErrorKind::forbidden) return false;
    return std::unexpected(count.error());
}

}  // namespace

Result<std::optional<Target>> find_target(const Call& call, const std::string& alias) {
    auto index = find_write_index(call, alias);
    if (!index) return std::unexpected(index.error());
    if (!*index) {
        auto checked = refuse_without_alias(call, alias);
        if (checked) return std::nullopt;
        // Or somebody has made the alias between the two questions.
        index = find_write_index(call, alias);
        if (!index) return std::unexpected(index.error());
        if (!*index) return std::unexpected(std::move(checked.error()));
    }
    auto target = read_target(call, alias, **index);
    if (!target) return std::unexpected(target.error());
    if (auto checked = check_settings(*target); !checked) return std::unexpected(checked.error());
    if (auto read = read_mapping(call, *target); !read) return std::unexpected(read.error());
    return std::optional(std::move(*target));
}

Result<bool> create_target(const Call& call, const config::Index& index, TimeMs now) {
    auto body = create_body_with(index);
    if (!body) return std::unexpected(body.error());
    const auto name = new_index_name(index.created_as.empty() ? index.alias : index.created_as, now);
    failpoint::at("before:create_index");
    const auto response = call(put_request("/" + percent_encoded(name), std::move(*body)));
    failpoint::at("after:create_index");
    if (!response) return std::unexpected(response.error());
    if (response->status == 200) return true;
    if (is_lost_race(*response)) return false;
    auto error = error_of_status(response->where, response->status, response->body);
    if (error.kind == ErrorKind::rejected) {
        error.kind = ErrorKind::invalid;
        error.advice = fmt::format("correct {} (pipeline.index.create)", index.create.string());
    }
    return std::unexpected(std::move(error));
}

Result<engine::TargetFacts> prepare_target(const Call& call, const config::Index& index, TimeMs now) {
    const auto server = find_server(call);
    if (!server) return std::unexpected(server.error());
    auto target = find_target(call, index.alias);
    if (!target) return std::unexpected(target.error());
    if (!*target && index.create_body.empty())
        return refused(
            fmt::format("there is no alias {} at {}", index.alias, name_of(*server)),
            "create an index with that alias, or set pipeline.index.create to a file with its settings and "
            "mappings");
    bool created = false;
    // Where an index has that name already, somebody else was faster and made the alias too, or another index
    // was made within this second (pawl rebuild): the next second's name is free.
    for (TimeMs attempt = 0; !*target && attempt < limits::create_attempts_max; ++attempt) {
        const auto made = create_target(call, index, now + attempt * second_ms);
        if (!made) return std::unexpected(made.error());
        created = *made;
        target = find_target(call, index.alias);
        if (!target) return std::unexpected(target.error());
    }
    if (!*target)
        return fail(ErrorKind::target_missing,
                    fmt::format("alias {} was made and is gone again", index.alias));
    auto remembered = remembered_in((*target)->meta, (*target)->identity.index);
    if (!remembered) return std::unexpected(remembered.error());
    bool empty = false;
    if (!created && !*remembered) {
        const auto nothing = holds_nothing(call, (*target)->identity.index);
        if (!nothing) return std::unexpected(nothing.error());
        empty = *nothing;
    }
    return engine::TargetFacts{
        .identity = (*target)->identity,
        .created = created,
        .empty = empty,
        .gc_deletes_ms = (*target)->gc_deletes_ms,
        .server = name_of(*server),
        .remembered = std::move(*remembered),
        .async_durable = (*target)->is_async_durable,
    };
}

std::string new_index_name(const std::string& begin, TimeMs now) {
    std::string name = begin + "-";
    for (const char byte : to_iso8601(now - now % 1000))
        if (byte != '-' && byte != ':' && byte != '.') name += byte;
    // 20261124T021504000Z: the milliseconds are left out.
    name.erase(name.size() - 4, 3);
    std::transform(name.begin(), name.end(), name.begin(), [](char byte) {
        return byte >= 'A' && byte <= 'Z' ? static_cast<char>(byte - 'A' + 'a') : byte;
    });
    return name;
}

Result<std::string> create_body_with(const config::Index& index) {
    auto body = json::parse(index.create_body, nullptr, false);
    if (!body.is_object())
        return refused(fmt::format("{}: not a JSON object", index.create.string()),
                       "write {\"settings\": …, \"mappings\": …}");
    for (const char* const part : {"settings", "aliases"}) {
        if (!body.contains(part)) body[part] = json::object();
        if (!body[part].is_object())
            return refused(fmt::format("{}: \"{}\" is not an object", index.create.string(), part),
                           "write {\"settings\": …, \"mappings\": …}");
    }
    auto& settings = body["settings"];
    const bool has_nested = settings.contains("index") && settings["index"].is_object() &&
                            settings["index"].contains("gc_deletes");
    if (!has_nested && !settings.contains("index.gc_deletes") && !settings.contains("gc_deletes"))
        settings["index.gc_deletes"] = limits::gc_deletes_created;
    body["aliases"][index.alias] = {{"is_write_index", true}};
    // Bytes that are not UTF-8 would make dump throw; the config has checked them, but this is the border.
    return body.dump(-1, ' ', false, json::error_handler_t::replace);
}

TimeMs request_timeout_for(TimeMs configured_ms, TimeMs gc_deletes_ms) {
    return std::min(configured_ms, gc_deletes_ms / 2 - 1);
}

}  // namespace pawl::index
