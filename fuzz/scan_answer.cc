// Any bytes as a page of a scan. The first byte says whether documents come with their sources; the rest is
// the answer. What must hold: an Error with words that may go to a log, or a page that names its scroll;
// every document that is visited, also before an error, has an id, a version that the engine takes, and a
// source where it was asked for; and where another parser reads the answer too, both see the same documents.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "fuzz/judge.h"
#include "index/document_scan.h"
#include "index/limits.h"
#include "journal/interval_set.h"

using namespace pawl;
using namespace pawl::index;

namespace {

constexpr std::size_t entity_bytes_max = 512;

struct Seen {
    std::string id;
    std::uint64_t version = 0;
    std::string source;
};

void check_document(const ScannedDocument& document, bool with_source) {
    PAWL_ASSERT(!document.id.empty() && document.id.size() <= entity_bytes_max);
    PAWL_ASSERT(fuzz::is_utf8(document.id));
    PAWL_ASSERT(document.version <= journal::revision_max);
    PAWL_ASSERT(document.source.empty() != with_source);
    if (with_source) PAWL_ASSERT(document.source.front() == '{' && document.source.back() == '}');
}

void check_error(const Error& error) {
    PAWL_ASSERT(error.kind == ErrorKind::unavailable);
    PAWL_ASSERT(!error.message.empty() && error.message.size() <= 1024 && !error.advice.empty());
    PAWL_ASSERT(!fuzz::has_control_characters(error.message) && fuzz::is_utf8(error.message));
}

void check_against_judge(const nlohmann::json& answer, const ScanAnswer& read, const std::vector<Seen>& seen,
                         bool with_source) {
    PAWL_ASSERT(answer.is_object() && answer.at("_scroll_id") == read.scroll_id);
    PAWL_ASSERT(answer.at("_shards").at("failed") == 0 && !answer.value("timed_out", false));
    const auto found = answer.find("hits");
    const bool has_hits = found != answer.end() && found->contains("hits");
    const auto& hits = has_hits ? found->at("hits") : nlohmann::json::array();
    PAWL_ASSERT(hits.size() == seen.size());
    for (std::size_t i = 0; i < seen.size(); ++i) {
        PAWL_ASSERT(hits[i].at("_id") == seen[i].id && hits[i].at("_version") == seen[i].version);
        if (with_source) PAWL_ASSERT(fuzz::json_in(seen[i].source) == hits[i].at("_source"));
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) return 0;
    const bool with_source = data[0] % 2 == 1;
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    std::string body(text);
    body.shrink_to_fit();
    std::vector<Seen> seen;
    const auto read = read_scan_answer(body, with_source, [&](const ScannedDocument& document) {
        check_document(document, with_source);
        seen.push_back({std::string(document.id), document.version, std::string(document.source)});
    });
    if (!read) {
        check_error(read.error());
        return 0;
    }
    PAWL_ASSERT(read->documents == seen.size());
    PAWL_ASSERT(!read->scroll_id.empty() && read->scroll_id.size() <= limits::scroll_id_bytes_max);
    // A parser on demand does not look at all of what it leaves out.
    const auto answer = fuzz::json_in(text);
    if (answer && !fuzz::has_a_key_twice(text)) check_against_judge(*answer, *read, seen, with_source);
    return 0;
}
