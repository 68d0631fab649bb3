#include "index/document_get.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/core.h>
#include <simdjson.h>
#include <nlohmann/json.hpp>

#include "base/assert.h"
#include "index/answer.h"
#include "index/limits.h"
#include "journal/interval_set.h"

namespace pawl::index {
namespace {

namespace ondemand = simdjson::ondemand;
using nlohmann::json;
using Documents = std::vector<std::optional<DocumentNow>>;

std::unexpected<Error> not_understood(const HttpResponse& response) {
    return fail(ErrorKind::unavailable, response.where + ": the answer cannot be understood",
                "see whether something else than Elasticsearch or OpenSearch answers at elasticsearch.urls");
}

struct Got {
    std::string_view id;
    bool found = false;
    DocumentNow document;
    bool has_error = false;
    int numbers = 0;  // of the three that a document has
};

// The source is taken as the text that it is: a parser would write its numbers anew.
bool read_member(std::string_view key, ondemand::value value, bool with_source, Got& got) {
    const auto number = [&](std::uint64_t& into) {
        ++got.numbers;
        return value.get_uint64().get(into) == simdjson::SUCCESS;
    };
    if (key == "_id") return value.get_string().get(got.id) == simdjson::SUCCESS;
    if (key == "found") return value.get_bool().get(got.found) == simdjson::SUCCESS;
    if (key == "_version") return number(got.document.version);
    if (key == "_seq_no") return number(got.document.seq_no);
    if (key == "_primary_term") return number(got.document.primary_term);
    if (key == "error") got.has_error = true;
    if (key != "_source" || !with_source) return true;
    ondemand::object source;
    std::string_view text;
    if (value.get_object().get(source) != simdjson::SUCCESS ||
        source.raw_json().get(text) != simdjson::SUCCESS || !text.ends_with('}'))
        return false;
    got.document.source = text;
    return true;
}

// False: it is no answer about this document.
bool read_document(ondemand::object answer, const std::string& id, bool with_source,
                   std::optional<DocumentNow>& document) {
    Got got;
    for (auto member : answer) {
        ondemand::field field;
        std::string_view key;
        if (std::move(member).get(field) != simdjson::SUCCESS ||
            field.unescaped_key().get(key) != simdjson::SUCCESS ||
            !read_member(key, field.value(), with_source, got))
            return false;
    }
    if (got.has_error || got.id != id) return false;
    if (!got.found) return true;
    if (got.numbers != 3 || got.document.version > journal::revision_max ||
        got.document.source.empty() == with_source)
        return false;
    document = std::move(got.document);
    return true;
}

HttpRequest request_for(const std::string& index, std::span<const std::string> ids, bool with_source) {
    json docs = json::array();
    for (const std::string& id : ids)
        docs.push_back({{"_id", id}, {"_source", with_source}});
    auto request = get_request("/" + percent_encoded(index) + "/_mget?realtime=true");
    request.method = Method::post;
    request.body = json{{"docs", std::move(docs)}}.dump(-1, ' ', false, json::error_handler_t::replace);
    request.timeout_ms = limits::scan_timeout_ms;
    request.answer_bytes_max = limits::source_answer_bytes_max;
    return request;
}

Result<Documents> get_at_once(const Call& call, const std::string& index, std::span<const std::string> ids,
                              bool with_source) {
    auto response = call_ok(call, request_for(index, ids, with_source));
    if (!response) return std::unexpected(response.error());
    const std::size_t size = response->body.size();
    response->body.resize(size + simdjson::SIMDJSON_PADDING);
    ondemand::parser parser;
    ondemand::document root;
    ondemand::array docs;
    const simdjson::padded_string_view text(response->body.data(), size, response->body.size());
    if (parser.iterate(text).get(root) != simdjson::SUCCESS ||
        root.find_field_unordered("docs").get_array().get(docs) != simdjson::SUCCESS)
        return not_understood(*response);
    Documents documents(ids.size());
    std::size_t at = 0;
    for (auto element : docs) {
        ondemand::object answer;
        if (at == ids.size() || std::move(element).get_object().get(answer) != simdjson::SUCCESS ||
            !read_document(answer, ids[at], with_source, documents[at]))
            return not_understood(*response);
        ++at;
    }
    if (at != ids.size()) return not_understood(*response);
    return documents;
}

}  // namespace

// NOLINTNEXTLINE(misc-no-recursion): by halves, so as deep as the number of ids has binary digits
Result<Documents> get_documents(const Call& call, const std::string& index, std::span<const std::string> ids,
                                bool with_source) {
    PAWL_ASSERT(!ids.empty() && ids.size() <= limits::documents_got_max);
    auto all = get_at_once(call, index, ids, with_source);
    if (all || all.error().kind != ErrorKind::too_large || ids.size() == 1) return all;
    auto first = get_documents(call, index, ids.first(ids.size() / 2), with_source);
    if (!first) return first;
    auto second = get_documents(call, index, ids.subspan(ids.size() / 2), with_source);
    if (!second) return second;
    std::ranges::move(*second, std::back_inserter(*first));
    return first;
}

Result<bool> remove_document(const Call& call, const std::string& index, const std::string& id,
                             const DocumentNow& seen) {
    auto request =
        get_request(fmt::format("/{}/_doc/{}?if_seq_no={}&if_primary_term={}", percent_encoded(index),
                                percent_encoded(id), seen.seq_no, seen.primary_term));
    request.method = Method::remove;
    const auto response = call(std::move(request));
    if (!response) return std::unexpected(response.error());
    if (response->status == 409 || response->status == 404) return false;
    if (response->status < 200 || response->status > 299)
        return std::unexpected(error_of_status(response->where, response->status, response->body));
    return true;
}

}  // namespace pawl::index
