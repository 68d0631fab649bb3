// Any answers of a server to the questions about it and about the alias: version, aliases, settings, mapping,
// privileges, request sizes, errors. The input is a script: every line "--- 200" begins an answer of that
// status; they are given in turn, and 404 when none is left. What must hold: an Error or Notice with words
// that may go to a log, or facts that the journal takes; questions are well-formed paths, and there is a
// bounded number of them.
#include <charconv>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "fuzz/judge.h"
#include "index/answer.h"
#include "index/check.h"
#include "index/duration.h"
#include "index/limits.h"
#include "index/target.h"
#include "journal/limits.h"

using namespace pawl;
using namespace pawl::index;

namespace {

constexpr std::size_t message_bytes_max = 4096;
constexpr std::size_t questions_max = 20;
constexpr TimeMs now = 1'795'486'504'123;  // 2026-11-24T02:15:04.123Z

struct Script {
    std::vector<HttpResponse> answers;
    std::size_t asked = 0;

    explicit Script(std::string_view text) {
        constexpr std::string_view begin = "--- ";
        while (!text.empty()) {
            const auto end = std::min(text.find("\n--- ", 1), text.size());
            std::string_view one = text.substr(0, end);
            text.remove_prefix(std::min(end + 1, text.size()));
            int status = 200;
            if (one.starts_with(begin)) {
                const auto line = one.substr(begin.size(), one.find('\n') - begin.size());
                std::from_chars(line.data(), line.data() + line.size(), status);
                one.remove_prefix(std::min(one.find('\n'), one.size() - 1) + 1);
            }
            answers.push_back({status, std::string(one), "GET http://h:9200/"});
        }
    }
    Result<HttpResponse> answer(const HttpRequest& request) {
        PAWL_ASSERT(request.path.starts_with('/') && !fuzz::has_control_characters(request.path));
        PAWL_ASSERT(request.path.find(' ') == std::string::npos && request.answer_bytes_max > 0);
        PAWL_ASSERT(asked < questions_max);
        if (asked++ < answers.size()) return answers[asked - 1];
        return HttpResponse{404, "{}", "GET http://h:9200/"};
    }
    // From the first answer on.
    Call call() {
        asked = 0;
        return [this](const HttpRequest& request) { return answer(request); };
    }
};

void check_words(std::string_view text, std::size_t bytes_max) {
    PAWL_ASSERT(text.size() <= bytes_max && !fuzz::has_control_characters(text) && fuzz::is_utf8(text));
}

void check_error(const Error& error) {
    PAWL_ASSERT(!error.message.empty());
    check_words(error.message, message_bytes_max);
    check_words(error.advice, message_bytes_max);
}

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
    for (const HttpResponse& answer : script.answers)
        check_body(answer);
    return 0;
}
