#include "index/document_scan.h"

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

constexpr std::string_view ids_only =
    "filter_path=_scroll_id,timed_out,_shards.failed,hits.hits._id,hits.hits._version";

std::unexpected<Error> not_understood(std::string_view what) {
    return fail(ErrorKind::unavailable, fmt::format("a page of documents cannot be understood: {}", what),
                "see whether something else than Elasticsearch or OpenSearch answers at elasticsearch.urls");
}

HttpRequest post_request(std::string path, std::string body, std::size_t answer_bytes_max) {
    return {.method = Method::post,
            .path = std::move(path),
            .body = std::move(body),
            .timeout_ms = limits::scan_timeout_ms,
            .answer_bytes_max = answer_bytes_max};
}

// {"_id":"…","_version":17,"_source":{…}}
bool read_hit(ondemand::object hit, bool with_source, ScannedDocument& document) {
    document = {};
    bool has_version = false;
    for (auto member : hit) {
        ondemand::field field;
        std::string_view key;
        if (std::move(member).get(field) != simdjson::SUCCESS ||
            field.unescaped_key().get(key) != simdjson::SUCCESS)
            return false;
        if (key == "_id") {
            if (field.value().get_string().get(document.id) != simdjson::SUCCESS) return false;
        } else if (key == "_version") {
            if (field.value().get_uint64().get(document.version) != simdjson::SUCCESS) return false;
            has_version = true;
        } else if (key == "_source" && with_source) {
            ondemand::object source;
            if (field.value().get_object().get(source) != simdjson::SUCCESS ||
                source.raw_json().get(document.source) != simdjson::SUCCESS ||
                !document.source.ends_with('}'))  // a parser on demand counts brackets of any kind
                return false;
        }
    }
    return has_version && !document.id.empty() && document.id.size() <= limits::id_bytes_max &&
           document.version <= journal::revision_max && document.source.empty() != with_source;
}

// {"hits":[…]} inside "hits"; left out by filter_path where there are none.
bool read_hits(ondemand::object hits, bool with_source, const DocumentVisitor& visit,
               std::size_t& documents) {
    ondemand::array all;
    const auto found = hits.find_field_unordered("hits").get_array().get(all);
    if (found == simdjson::NO_SUCH_FIELD) return true;
    if (found != simdjson::SUCCESS) return false;
    ScannedDocument document;
    for (auto element : all) {
        ondemand::object hit;
        if (std::move(element).get_object().get(hit) != simdjson::SUCCESS ||
            !read_hit(hit, with_source, document))
            return false;
        visit(document);
        ++documents;
    }
    return true;
}

// A shard that failed, or a search that ran out of time, would look like missing documents.
bool is_whole(ondemand::object shards) {
    std::uint64_t failed = 0;
    return shards.find_field_unordered("failed").get_uint64().get(failed) == simdjson::SUCCESS && failed == 0;
}

}  // namespace

Result<ScanAnswer> read_scan_answer(std::string& body, bool with_source, const DocumentVisitor& visit) {
    const std::size_t size = body.size();
    body.resize(size + simdjson::SIMDJSON_PADDING);
    ondemand::parser parser;
    ondemand::document root;
    ondemand::object answer;
    if (parser.iterate(simdjson::padded_string_view(body.data(), size, body.size())).get(root) !=
            simdjson::SUCCESS ||
        root.get_object().get(answer) != simdjson::SUCCESS)
        return not_understood("it is no JSON object");
    ScanAnswer read;
    bool whole = false;
    bool timed_out = false;
    for (auto member : answer) {
        ondemand::field field;
        std::string_view key;
        if (std::move(member).get(field) != simdjson::SUCCESS ||
            field.unescaped_key().get(key) != simdjson::SUCCESS)
            return not_understood("it is cut short");
        std::string_view text;
        ondemand::object part;
        if (key == "_scroll_id" && field.value().get_string().get(text) == simdjson::SUCCESS)
            read.scroll_id = text;
        else if (key == "timed_out")
            timed_out = field.value().get_bool().get(timed_out) != simdjson::SUCCESS || timed_out;
        else if (key == "_shards")
            whole = field.value().get_object().get(part) == simdjson::SUCCESS && is_whole(part);
        else if (key == "hits" && (field.value().get_object().get(part) != simdjson::SUCCESS ||
                                   !read_hits(part, with_source, visit, read.documents)))
            return not_understood("a document is without _id, _version or _source");
    }
    if (!whole || timed_out)
        return fail(ErrorKind::unavailable, "the index could not give all documents: a shard failed",
                    "see GET /_cat/shards, and run it again");
    if (read.scroll_id.empty() || read.scroll_id.size() > limits::scroll_id_bytes_max)
        return not_understood("it names no scroll");
    return read;
}

DocumentScan::DocumentScan(Call call, std::string index, ScanSettings settings)
    : call_(std::move(call)), index_(std::move(index)), settings_(settings) {
    PAWL_ASSERT(settings_.page_documents >= 1);
}

DocumentScan::~DocumentScan() {
    if (scroll_id_.empty()) return;
    auto request = post_request("/_search/scroll", nlohmann::json{{"scroll_id", scroll_id_}}.dump(),
                                limits::admin_answer_bytes_max);
    request.method = Method::remove;
    static_cast<void>(call_(std::move(request)));
}

// With filter_path the server writes documents anew, so that with their sources the answer is taken whole.
HttpRequest DocumentScan::first_page() const {
    const std::string filter = settings_.with_source ? "" : fmt::format("&{}", ids_only);
    const nlohmann::json query{{"size", settings_.page_documents},
                               {"sort", {"_doc"}},
                               {"version", true},
                               {"_source", settings_.with_source}};
    return post_request(
        fmt::format("/{}/_search?scroll={}m{}", percent_encoded(index_), limits::scan_keep_minutes, filter),
        query.dump(), settings_.answer_bytes_max);
}

HttpRequest DocumentScan::another_page() const {
    const std::string filter = settings_.with_source ? "" : fmt::format("?{}", ids_only);
    const nlohmann::json query{{"scroll", fmt::format("{}m", limits::scan_keep_minutes)},
                               {"scroll_id", scroll_id_}};
    return post_request("/_search/scroll" + filter, query.dump(), settings_.answer_bytes_max);
}

Result<bool> DocumentScan::next(const DocumentVisitor& visit) {
    const bool is_first = scroll_id_.empty();
    auto response = call_(is_first ? first_page() : another_page());
    if (!response) return std::unexpected(std::move(response.error()));
    if (response->status == 404 && !is_first)
        return fail(ErrorKind::unavailable,
                    fmt::format("{}: the server has forgotten the scan of index {}", response->where, index_),
                    "run it again; a scan is forgotten when its node ends, or when no page is asked for in " +
                        std::to_string(limits::scan_keep_minutes) + " minutes");
    if (response->status < 200 || response->status > 299)
        return std::unexpected(error_of_status(response->where, response->status, response->body));
    auto answer = read_scan_answer(response->body, settings_.with_source, visit);
    if (!answer) return std::unexpected(std::move(answer.error()).within(response->where));
    scroll_id_ = std::move(answer->scroll_id);
    return answer->documents > 0;
}

Result<void> refresh_index(const Call& call, const std::string& index) {
    return on_all_shards(call,
                         post_request("/" + percent_encoded(index) + "/_refresh?filter_path=_shards.failed",
                                      "", limits::admin_answer_bytes_max),
                         "refreshed");
}

}  // namespace pawl::index
