#include "cli/verify_view.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pawl;
using namespace pawl::cli;
using ops::Outcome;
using verify::Kind;

namespace {

Verified some(std::vector<ops::Difference> differences = {}) {
    Verified verified{.pipeline = "lex"};
    verified.report.pipeline = "lex";
    verified.report.index = "lex-1";
    verified.report.revision = 501;
    verified.report.entities = 1;
    verified.report.documents = 3'000;
    verified.report.took_ms = 1'500;
    verified.report.differences = std::move(differences);
    return verified;
}

ops::Difference difference(Kind kind, bool can_be_healed = true, Outcome outcome = Outcome::open) {
    ops::Difference made;
    made.entity = "e\n1";
    made.kind = kind;
    made.indexed = 7;
    made.can_be_healed = can_be_healed;
    made.outcome = outcome;
    return made;
}

bool says(const std::string& text, const std::string& words) {
    return text.find(words) != std::string::npos;
}

}  // namespace

TEST_CASE("equal is one line and exit code 0") {
    CHECK(verify_text({some()}, false) ==
          "lex: equal; 3000 documents of lex-1, 1 living entity at revision 501, 2000 documents/s\n");
    CHECK(exit_code_of({some(), some()}) == 0);
}

TEST_CASE("what differs is counted, listed without control characters, and has advice") {
    const auto text = verify_text({some({difference(Kind::surplus), difference(Kind::missing)})}, false);
    CHECK(says(text, "lex: DIFFERENT: 1 missing, 1 surplus; "));
    CHECK(says(text, "e\\x0a1"));
    CHECK(says(text, "Try: pawl verify --repair --pipeline lex\n"));
    CHECK(exit_code_of({some(), some({difference(Kind::stale)})}) == 1);
}

TEST_CASE("all healed is exit code 0, and anything that is not is 1") {
    const auto healed = some({difference(Kind::stale, true, Outcome::healed)});
    CHECK(exit_code_of({healed}) == 0);
    CHECK(says(verify_text({healed}, true), "lex: healed; "));
    for (const Outcome outcome : {Outcome::open, Outcome::quarantined})
        CHECK(exit_code_of({healed, some({difference(Kind::stale, true, outcome)})}) == 1);
    auto more = healed;
    more.report.more_differences = true;
    CHECK(exit_code_of({more}) == 1);
    CHECK(says(verify_text({more}, true), "pawl rebuild"));
}

TEST_CASE("a version that no row can beat is never said to be healable") {
    const auto text = verify_text({some({difference(Kind::foreign, false)})}, false);
    CHECK_FALSE(says(text, "--repair"));
    CHECK(says(text, "1 difference cannot be healed"));
}

TEST_CASE("a repair that has not healed all says where to look") {
    const auto refused = some({difference(Kind::stale, true, Outcome::quarantined)});
    CHECK(says(verify_text({refused}, true), "1 document is refused by the index: see pawl quarantine list"));
    const auto open = some({difference(Kind::stale, true, Outcome::open)});
    CHECK(says(verify_text({open}, true), "Try: pawl status"));
    CHECK_FALSE(says(verify_text({open}, true), "--repair"));
}

TEST_CASE("of many differences the text shows some and counts the rest, the JSON has all") {
    const auto many = some(std::vector<ops::Difference>(25, difference(Kind::missing)));
    CHECK(says(verify_text({many}, false), "and 5 more (--json lists them)"));
    CHECK(nlohmann::json::parse(verify_json({many}))["pipelines"][0]["differences"].size() == 25);
}

TEST_CASE("of a table the text has no revisions, and advises nothing that outbox mode cannot do") {
    auto verified = some({difference(Kind::missing), difference(Kind::surplus)});
    verified.report.is_of_table = verified.report.content = true;
    verified.report.differences[0].has_row = true;
    const auto text = verify_text({verified}, false);
    CHECK(says(text, "table has"));
    CHECK(says(text, "a row"));
    CHECK(says(text, "Try: pawl verify --repair --pipeline lex\n"));
    const auto json = nlohmann::json::parse(verify_json({verified}))["pipelines"][0];
    CHECK(json["source"] == "table");
    CHECK(json["differences"][0]["has_row"] == true);
    CHECK(json["differences"][1]["has_row"] == false);
    CHECK(nlohmann::json::parse(verify_json({some()}))["pipelines"][0]["source"] == "history");
}

TEST_CASE("what was left out is said") {
    auto verified = some();
    verified.report.quarantined = 2;
    verified.report.unsettled = 1;
    verified.report.left_out = {"secret", "meta.*"};
    const auto text = verify_text({verified}, false);
    CHECK(says(text, "2 entities in quarantine left out"));
    CHECK(says(text, "1 entity changed all the time"));
    CHECK(says(text, "secret, meta.*"));
}

TEST_CASE("an error has its exit code and its place in the JSON, beside pipelines that were compared") {
    Verified failed{.pipeline = "two"};
    failed.error = Error{ErrorKind::decision, "the history went back", "see"};
    CHECK(exit_code_of({some({difference(Kind::stale)}), failed}) == 4);
    const auto json = nlohmann::json::parse(verify_json({some({difference(Kind::stale)}), failed}));
    CHECK(json["equal"] == false);
    CHECK(json["pipelines"][0]["counts"]["stale"] == 1);
    CHECK(json["pipelines"][0]["documents_per_second"] == 2'000);
    const auto& first = json["pipelines"][0]["differences"][0];
    CHECK(first["entity"] == "e\n1");
    CHECK(first["kind"] == "stale");
    CHECK(first["index_version"] == 7);
    CHECK(first["latest_revision"].is_null());
    CHECK(first["outcome"] == "open");
    CHECK(json["pipelines"][1]["error"]["kind"] == "decision");
    CHECK(json["pipelines"][1].size() == 2);
}

TEST_CASE("progress names the stage and its rate") {
    CHECK(progress_text("lex", {ops::VerifyStage::index, 0, 120'000}, 3'000) ==
          "lex: reading the index: 120000 (40000/s)");
    CHECK(progress_text("lex", {ops::VerifyStage::suspects, 2, 5}, 0) ==
          "lex: looking at suspects, round 2: 5 (0/s)");
}
