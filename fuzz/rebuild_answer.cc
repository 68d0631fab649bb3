// Any answers of a server to what `verify` and `rebuild` ask: single documents, what the mapping keeps of
// them, pages of a scan, aliases, settings, flushes, counts. The input is a script (script.h). What must
// hold: an Error with words that may go to a log, or facts that another parser reads there too; an alias is
// swapped as a whole: what is taken from the old index is given to the new one; questions are well-formed,
// and there is a bounded number of them.
#include <algorithm>
#include <cstdint>
#include <set>
#include <string>
#include <vector>

#include "base/assert.h"
#include "fuzz/judge.h"
#include "fuzz/script.h"
#include "index/document_get.h"
#include "index/document_scan.h"
#include "index/kept_source.h"
#include "index/limits.h"
#include "index/rebuild_index.h"
#include "journal/interval_set.h"

using namespace pawl;
using namespace pawl::index;
using fuzz::check_error;
using fuzz::Script;
using nlohmann::json;

namespace {

// The other parser's word on an answer that was taken; empty: it cannot have one.
std::optional<json> judged(const Script& script, std::size_t place) {
    if (place >= script.answers().size()) return std::nullopt;
    const std::string& body = script.answers()[place].body;
    if (fuzz::has_a_key_twice(body)) return std::nullopt;
    return fuzz::json_in(body);
}

void check_document(const DocumentNow& document, const json& answer, bool with_source) {
    PAWL_ASSERT(answer.at("found") == true && answer.at("_version") == document.version);
    PAWL_ASSERT(answer.at("_seq_no") == document.seq_no);
    PAWL_ASSERT(answer.at("_primary_term") == document.primary_term);
    if (with_source) PAWL_ASSERT(fuzz::json_in(document.source) == answer.at("_source"));
}

void check_get(Script& script, bool with_source) {
    const std::vector<std::string> ids{"a", "b\"\n\xc3\xa4"};
    const auto documents = get_documents(script.call(), "lex-1", ids, with_source);
    if (!documents) return check_error(documents.error());
    PAWL_ASSERT(documents->size() == ids.size());
    const auto answer = script.asked().size() == 1 ? judged(script, 0) : std::nullopt;
    for (std::size_t i = 0; i < ids.size(); ++i) {
        const auto& document = (*documents)[i];
        if (document) {
            PAWL_ASSERT(document->version <= journal::revision_max);
            PAWL_ASSERT(document->source.empty() != with_source);
        }
        if (!answer) continue;
        const json& one = answer->at("docs").at(i);
        PAWL_ASSERT(one.at("_id") == ids[i]);
        if (document)
            check_document(*document, one, with_source);
        else
            PAWL_ASSERT(one.value("found", false) == false);
    }
}

void check_remove(Script& script) {
    const auto removed = remove_document(script.call(), "lex-1", "a b", {.seq_no = 3, .primary_term = 1});
    if (!removed) check_error(removed.error());
}

void check_kept_source(Script& script) {
    const auto kept = find_kept_source(script.call(), "lex-1");
    if (!kept) return check_error(kept.error());
    fuzz::check_words(kept->why_not_whole, fuzz::message_bytes_max);
}

void check_scan(Script& script) {
    const std::size_t pages_max = script.answers().size() + 1;
    DocumentScan scan(script.call(pages_max + 1), "lex-1",
                      {.with_source = false, .page_documents = 10, .answer_bytes_max = 1 << 20});
    for (std::size_t page = 0; page < pages_max; ++page) {
        const auto more = scan.next([](const ScannedDocument&) {});
        if (!more) return check_error(more.error());
        if (!*more) return;
    }
}

void check_indices(Script& script) {
    const auto indices = find_rebuild(script.call(), "lex");
    if (!indices) return check_error(indices.error());
    PAWL_ASSERT(!indices->swapped() || (indices->live && indices->fresh));
}

void check_take_over(Script& script) {
    const auto indices = take_over_rebuild(script.call(), "lex");
    if (!indices) check_error(indices.error());
}

void check_swap(Script& script) {
    const auto swapped = swap_alias(script.call(), "lex", "lex-1", "lex-2", 17);
    if (!swapped) return check_error(swapped.error());
    PAWL_ASSERT(script.asked().size() == 3 && script.asked()[2].path == "/_aliases");
    const auto body = fuzz::json_in(script.asked()[2].body);
    PAWL_ASSERT(body);
    json actions = body->at("actions");
    const json& permit = actions.back().at("remove");
    PAWL_ASSERT(permit.at("index") == "lex-2" && permit.at("alias") == "lex-pawl-rebuild-swap-17");
    actions.erase(actions.size() - 1);
    std::set<std::string> taken;
    std::set<std::string> given;
    for (const json& action : actions) {
        const bool is_given = action.contains("add");
        const json& what = action.at(is_given ? "add" : "remove");
        PAWL_ASSERT(what.at("index") == (is_given ? "lex-2" : "lex-1"));
        (is_given ? given : taken).insert(what.at("alias").get<std::string>());
    }
    PAWL_ASSERT(taken == given && actions.size() == 2 * taken.size());
}

void check_steps(Script& script) {
    const config::Index settings{"lex", "lex.index.json", R"({"settings":{"refresh_interval":"5s"}})"};
    constexpr std::size_t questions_max = 3 + 2 * limits::replicas_wait_max_ms / limits::admin_timeout_ms;
    for (const auto& done :
         {finish_loading(script.call(questions_max), settings, "lex-2", [] { return false; }),
          forget_rebuild(script.call(), "lex", "lex-2"), delete_index(script.call(), "lex-1"),
          refresh_index(script.call(), "lex-1")})
        if (!done) check_error(done.error());
    const auto count = count_documents(script.call(), "lex-2");
    if (!count) return check_error(count.error());
    if (const auto answer = judged(script, 1)) PAWL_ASSERT(answer->at("count") == *count);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Script script({reinterpret_cast<const char*>(data), size});
    check_get(script, false);
    check_get(script, true);
    check_remove(script);
    check_kept_source(script);
    check_scan(script);
    check_indices(script);
    check_take_over(script);
    check_swap(script);
    check_steps(script);
    return 0;
}
