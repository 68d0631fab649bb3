// Any answers of a server to the questions about it and about the alias: version, aliases, settings, mapping,
// privileges, request sizes, errors. The input is a script: every line "--- 200" begins an answer of that
// status; they are given in turn, and 404 when none is left. What must hold: an Error or Notice with words
// that may go to a log, or facts that the journal takes; questions are well-formed paths, and there is a
// bounded number of them.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "fuzz/judge.h"
#include "fuzz/script.h"
#include "index/answer.h"
#include "index/check.h"
#include "index/checkpoint.h"
#include "index/duration.h"
#include "index/limits.h"
#include "index/target.h"
#include "journal/limits.h"

using namespace pawl;
using namespace pawl::index;
using fuzz::check_error;
using fuzz::check_words;
using fuzz::message_bytes_max;
using fuzz::Script;

namespace {

constexpr TimeMs now = 1'795'486'504'123;  // 2026-11-24T02:15:04.123Z

void check_identity(const journal::TargetIdentity& identity) {
    PAWL_ASSERT(identity.alias == "lex" && !identity.index.empty() && !identity.uuid.empty());
    check_words(identity.index, journal::limits::identity_bytes_max);
    check_words(identity.uuid, journal::limits::identity_bytes_max);
}

void check_server(Script& script) {
    const auto server = find_server(script.call());
    if (!server) return check_error(server.error());
    PAWL_ASSERT(server->product == "Elasticsearch" || server->product == "OpenSearch");
    PAWL_ASSERT(!server->version.empty());
    check_words(name_of(*server), 100);
}

void check_target(Script& script) {
    const auto target = find_target(script.call(), "lex");
    if (!target) return check_error(target.error());
    if (!*target) return;
    check_identity((*target)->identity);
    PAWL_ASSERT((*target)->gc_deletes_ms >= limits::gc_deletes_min_ms);
    const TimeMs timeout = request_timeout_for(25'000, (*target)->gc_deletes_ms);
    PAWL_ASSERT(timeout > 0 && timeout <= 25'000);
}

void check_facts(Script& script, const config::Index& settings) {
    const auto facts = prepare_target(script.call(), settings, now);
    if (!facts) return check_error(facts.error());
    check_identity(facts->identity);
    PAWL_ASSERT(!facts->created || !settings.create_body.empty());
}

void check_notices(Script& script) {
    config::Pipeline pipeline;
    pipeline.name = "lex";
    pipeline.index.alias = "lex";
    const Servers servers{{"http://h:9200"}, {script.call()}, script.call()};
    for (const auto& notice : check(servers, config::Elasticsearch{}, pipeline)) {
        PAWL_ASSERT(!notice.text.empty());
        check_words(notice.text, message_bytes_max);
        check_words(notice.advice, message_bytes_max);
    }
}

// As what a mapping's _meta holds.
void check_meta(std::string_view meta) {
    const auto found = remembered_in(meta, "lex-1");
    if (!found) return check_error(found.error());
    if (!*found) return;
    PAWL_ASSERT((*found)->revision <= journal::revision_max);
    check_words((*found)->pipeline, journal::limits::pipeline_name_bytes_max);
    check_words((*found)->source.table, journal::limits::identity_bytes_max);
    PAWL_ASSERT(remembered_in(meta_with(meta, **found), "lex-1").value() == *found);
}

void check_checkpoint(Script& script) {
    const engine::Remembered told{.pipeline = "lex",
                                  .source = {journal::SourceMode::revision, "karp", "lex"}};
    const auto written = write_checkpoint(script.call(), "lex", "u1", told);
    if (!written) check_error(written.error());
}

// What any answer's body may be asked by itself.
void check_body(const HttpResponse& answer) {
    const auto words = words_in(answer.body);
    check_words(words.type, limits::error_type_bytes_max);
    check_words(words.reason, limits::error_reason_bytes_max);
    check_error(error_of_status(answer.where, answer.status, answer.body));
    const auto span = duration_ms(answer.body);
    PAWL_ASSERT(!span || *span >= -1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    Script script({reinterpret_cast<const char*>(data), size});
    check_server(script);
    check_target(script);
    check_facts(script, {"lex", {}, {}});
    check_facts(script, {"lex", "lex.index.json", R"({"settings":{}})"});
    check_notices(script);
    check_checkpoint(script);
    for (const HttpResponse& answer : script.answers()) {
        check_body(answer);
        check_meta(answer.body);
    }
    return 0;
}
