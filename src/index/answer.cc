#include "index/answer.h"

#include <array>
#include <charconv>

#include <fmt/core.h>
#include <simdjson.h>

#include "index/limits.h"

namespace pawl::index {
namespace {

using engine::Action;
using engine::ItemResult;
using engine::ItemStatus;
using simdjson::dom::element;

// One row of the table by which items are judged: the first that fits, wins. Empty type or reason: any.
struct Rule {
    int status_min;
    int status_max;
    std::string_view type;
    std::string_view reason_begins;
    ItemStatus result;
};

// What an operator's change to index or alias causes comes first: it strikes every document, so it must never
// look like a fault of the document and fill the quarantine. Seen on Elasticsearch 7.17-9.2 and
// OpenSearch 2.19, 3.3.
constexpr std::array<Rule, 24> rules{{
    {200, 299, "", "", ItemStatus::done},
    {400, 499, "index_not_found_exception", "", ItemStatus::target_missing},
    {400, 499, "alias_not_found_exception", "", ItemStatus::target_missing},
    {400, 499, "illegal_argument_exception", "no write index is defined for alias",
     ItemStatus::target_missing},
    {400, 499, "illegal_argument_exception", "Alias [", ItemStatus::target_missing},
    {400, 499, "routing_missing_exception", "", ItemStatus::target_missing},
    {400, 499, "index_closed_exception", "", ItemStatus::retry},
    {400, 499, "illegal_argument_exception", "pipeline with id [", ItemStatus::retry},
    {400, 499, "cluster_block_exception", "", ItemStatus::retry},
    {400, 499, "unavailable_shards_exception", "", ItemStatus::retry},
    {400, 499, "es_rejected_execution_exception", "", ItemStatus::retry},
    {400, 499, "rejected_execution_exception", "", ItemStatus::retry},
    {400, 499, "circuit_breaking_exception", "", ItemStatus::retry},
    {400, 499, "process_cluster_event_timeout_exception", "", ItemStatus::retry},
    {409, 409, "version_conflict_engine_exception", "", ItemStatus::superseded},
    {401, 401, "", "", ItemStatus::forbidden},
    {403, 403, "", "", ItemStatus::forbidden},
    {404, 404, "", "", ItemStatus::retry},  // a shard that moves
    {408, 408, "", "", ItemStatus::retry},
    {409, 409, "", "", ItemStatus::retry},
    {429, 429, "", "", ItemStatus::retry},
    // Mapper and document parsing, strict mappings, immense terms, too many fields, a document above the
    // indexing pressure's limit (413): this document is what is refused.
    {400, 499, "", "", ItemStatus::rejected},
    {500, 599, "", "", ItemStatus::retry},
    {0, 0, "", "", ItemStatus::retry},
}};

std::string_view text_at(element parent, std::string_view key) {
    std::string_view text;
    if (parent.at_key(key).get(text) != simdjson::SUCCESS) return {};
    return text;
}

// Reasons end up in the journal and the log, which hold no documents; Jackson and the mappers quote them.
std::string_view without_quotation(std::string_view reason) {
    for (const std::string_view quotation : {"\n at [Source:", " at [Source:", ". Preview of field's value:",
                                             ". The prefix of the first immense term is:"})
        reason = reason.substr(0, reason.find(quotation));
    return reason;
}

std::string reason_of(element error) {
    std::string reason = bounded(without_quotation(text_at(error, "reason")), limits::error_reason_bytes_max);
    element cause;
    if (error.at_key("caused_by").get(cause) != simdjson::SUCCESS) return reason;
    const auto deeper = without_quotation(text_at(cause, "reason"));
    // Elasticsearch often repeats the cause in the reason.
    if (deeper.empty() || reason.find(deeper) != reason.npos) return reason;
    return bounded(reason + ": " + std::string(deeper), limits::error_reason_bytes_max);
}

ItemResult result_of(int status, element error, bool has_error, Action action) {
    ItemResult result;
    std::string_view type;
    std::string_view reason;
    if (has_error) {
        type = text_at(error, "type");
        reason = text_at(error, "reason");
    }
    result.status = judge_item(status, type, reason, action);
    if (result.status == ItemStatus::done) return result;
    result.error =
        type.empty() ? fmt::format("status_{}", status) : bounded(type, limits::error_type_bytes_max);
    if (has_error) result.reason = reason_of(error);
    if (result.status == ItemStatus::superseded) result.stored_version = stored_version_in(reason);
    return result;
}

// {"index":{"status":200}} or {"delete":{"status":404,"error":{…}}}; false when it is no answer to this
// action.
bool read_item(element item, Action action, std::string_view index, ItemResult& result) {
    element answer;
    if (item.at_key(action == Action::index ? "index" : "delete").get(answer) != simdjson::SUCCESS)
        return false;
    std::int64_t status = 0;
    if (answer.at_key("status").get(status) != simdjson::SUCCESS || status < 100 || status > 599)
        return false;
    element error;
    const bool has_error = answer.at_key("error").get(error) == simdjson::SUCCESS;
    result = result_of(static_cast<int>(status), error, has_error, action);
    // An error may name the alias where no index could be found, so only what an index has settled counts.
    const auto answered_by = text_at(answer, "_index");
    const bool is_settled = result.status == ItemStatus::done || result.status == ItemStatus::superseded ||
                            result.status == ItemStatus::rejected;
    if (is_settled && answered_by != index)
        result = {ItemStatus::target_missing,
                  "another_index",
                  fmt::format("index {} took it, not {}: the alias has moved",
                              bounded(answered_by, limits::error_reason_bytes_max), index),
                  {}};
    return true;
}

std::unexpected<Error> no_answer(std::string_view what) {
    return fail(ErrorKind::unavailable, fmt::format("the answer to a bulk request cannot be used: {}", what),
                "see whether something else than Elasticsearch or OpenSearch answers at elasticsearch.urls");
}

// The digits after `name`; nullopt when there are none.
std::optional<std::uint64_t> number_after(std::string_view name, std::string_view text) {
    const auto found = text.find(name);
    if (found == text.npos) return {};
    const auto digits = text.substr(found + name.size());
    std::uint64_t number = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
    if (parsed.ec != std::errc{}) return {};
    return number;
}

ErrorKind kind_of(int status, std::string_view type) {
    if (type == "cluster_block_exception") return ErrorKind::unavailable;
    switch (status) {
        case 400:
            return ErrorKind::rejected;
        case 401:
        case 403:
            return ErrorKind::forbidden;
        case 404:
            return ErrorKind::target_missing;
        case 413:
            return ErrorKind::too_large;
        case 429:
            return ErrorKind::overloaded;
        default:
            return ErrorKind::unavailable;
    }
}

std::string advice_for(int status, ErrorKind kind) {
    if (status == 401)
        return "check elasticsearch.user with password_file, or api_key_file: the server does not accept "
               "them";
    if (kind == ErrorKind::forbidden)
        return "give pawl's user the cluster privilege monitor, and on the alias and its index: read, write, "
               "view_index_metadata, manage (create_index too where pawl creates it)";
    if (status >= 300 && status < 400)
        return "redirects are not followed: put the final address into elasticsearch.urls";
    if (status == 413)
        return "the server's http.max_content_length, or a proxy's limit, is lower than the request";
    return {};
}

}  // namespace

struct BulkAnswerReader::Parser {
    simdjson::dom::parser parser{limits::bulk_answer_bytes_max};
};

BulkAnswerReader::BulkAnswerReader() : parser_(std::make_unique<Parser>()) {}
BulkAnswerReader::~BulkAnswerReader() = default;

Result<std::vector<ItemResult>> BulkAnswerReader::read(std::string_view body,
                                                       std::span<const engine::Row> actions,
                                                       std::string_view index) {
    element root;
    if (const auto error = parser_->parser.parse(body.data(), body.size()).get(root);
        error != simdjson::SUCCESS)
        return no_answer(simdjson::error_message(error));
    simdjson::dom::array items;
    if (root.at_key("items").get(items) != simdjson::SUCCESS) return no_answer("it has no \"items\"");
    bool has_errors = false;
    if (root.at_key("errors").get(has_errors) != simdjson::SUCCESS) return no_answer("it has no \"errors\"");

    std::vector<ItemResult> results(actions.size());
    std::size_t position = 0;
    for (const element item : items) {
        if (position == actions.size()) return no_answer(fmt::format("more than {} items", actions.size()));
        if (!read_item(item, actions[position].action, index, results[position]))
            return no_answer(fmt::format("item {} does not answer its action", position));
        if (const auto& result = results[position];
            result.status == ItemStatus::retry && is_larger_than_limit(result.reason))
            return fail(ErrorKind::too_large, result.error + ": " + result.reason,
                        "give the server more heap, or raise its indexing_pressure.memory.limit");
        ++position;
    }
    if (position != actions.size())
        return no_answer(fmt::format("{} items for {} actions", position, actions.size()));
    return results;
}

ItemStatus judge_item(int status, std::string_view type, std::string_view reason, Action action) {
    // The delete of what is not there: it leaves a tombstone with its version, which is all that it is for.
    if (status == 404 && type.empty() && action == Action::remove) return ItemStatus::done;
    for (const auto& rule : rules) {
        if (status >= rule.status_min && status <= rule.status_max &&
            (rule.type.empty() || rule.type == type) && reason.starts_with(rule.reason_begins))
            return rule.result;
    }
    return ItemStatus::retry;
}

std::optional<engine::Revision> stored_version_in(std::string_view reason) {
    constexpr std::string_view before = "current version [";
    const auto found = reason.find(before);
    if (found == reason.npos) return {};
    const auto digits = reason.substr(found + before.size());
    engine::Revision version = 0;
    const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), version);
    if (parsed.ec != std::errc{} || parsed.ptr == digits.data() + digits.size() || *parsed.ptr != ']')
        return {};
    return version;
}

bool is_larger_than_limit(std::string_view reason) {
    const auto max = reason.find("max_");
    const auto operation = number_after("_operation_bytes=", reason);
    const auto limit = max == reason.npos ? std::nullopt : number_after("_bytes=", reason.substr(max));
    return operation && limit && *operation > *limit;
}

Error error_of_status(std::string_view where, int status, std::string_view body) {
    const auto words = words_in(body);
    const auto kind = kind_of(status, words.type);
    std::string message = fmt::format("{}: status {}", where, status);
    if (!words.type.empty()) message += " " + words.type;
    if (!words.reason.empty()) message += ": " + words.reason;
    return {kind, std::move(message), advice_for(status, kind)};
}

ServerWords words_in(std::string_view body) {
    simdjson::dom::parser parser;
    element root;
    element error;
    if (parser.parse(body.data(), body.size()).get(root) != simdjson::SUCCESS ||
        root.at_key("error").get(error) != simdjson::SUCCESS)
        return {};
    if (std::string_view text; error.get(text) == simdjson::SUCCESS)
        return {{}, bounded(text, limits::error_reason_bytes_max)};
    return {bounded(text_at(error, "type"), limits::error_type_bytes_max), reason_of(error)};
}

std::string bounded(std::string_view text, std::size_t bytes_max) {
    const bool cut = text.size() > bytes_max;
    if (cut) {
        std::size_t end = bytes_max;
        while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
            --end;
        text = text.substr(0, end);
    }
    std::string kept(text);
    for (char& byte : kept)
        if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = ' ';
    return kept;
}

}  // namespace pawl::index
