#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/dump_view.h"
#include "tests/unit/cli/contents.h"

using namespace pawl;
using namespace pawl::cli;
using test::noon;
using test::some_contents;

TEST_CASE("the human form of a dump") {
    CHECK(dump_text(some_contents(), "/j") ==
          "journal /j, format 3, open by pawl with pid 4711\n"
          "\n"
          "pipeline lex: RETRYING since 2026-11-24T12:00:00.000Z\n"
          "  because     elasticsearch: connection refused\n"
          "  source      karp.lex, revision mode\n"
          "  target      lex = lex-20261124t115900z, uuid uuid-1\n"
          "  high        2000\n"
          "  watermark   501\n"
          "  gaps        11 revisions: 502, 600-609\n"
          "  unproven    3 revisions left the gaps after gap_grace, not proven dead\n"
          "  checkpoint  400 at 2026-11-24T11:59:59.000Z\n"
          "  anchor      2000, digest 000000000000002b, of shape 000000000000002c\n"
          "  incident    2026-11-24T11:59:30.000Z  R10  the index is not the journal's\n"
          "  quarantine  1 entity (pawl quarantine list)\n"
          "\n"
          "  batch   state      rows  index  delete  invalid  done  superseded  quarantined  intent "
          "at                 applied  committed  revisions\n"
          "  lex/15  COMMITTED   500    480      15        1   490           5            1  "
          "2026-11-24T12:00:00.000Z  120 ms   2.5 s      1-501\n"
          "  lex/16  APPLIED     500    480      15        1   490           5            1  "
          "2026-11-24T12:00:00.000Z  120 ms              503-599, 610-900\n"
          "  lex/17  INTENT      500    480      15        1     0           0            0  "
          "2026-11-24T12:00:00.000Z                      901-1000, 1002, 1004-1100 and 1 more\n");
}

TEST_CASE("an empty journal says so") {
    journal::Contents contents;
    contents.format = 1;
    CHECK(dump_text(contents, "/j") == "journal /j, format 1, not open by any pawl\nno pipelines\n");
}

TEST_CASE("damage is listed after what could be read") {
    auto contents = some_contents();
    contents.damages = {{"table batches, key 00", "checksum differs"}};
    const std::string text = dump_text(contents, "/j");
    CHECK(text.find("lex/17") != std::string::npos);
    CHECK(
        text.ends_with("\nDAMAGED in 1 place; everything that could be read is shown above\n"
                       "  table batches, key 00: checksum differs\n"));
}

TEST_CASE("the JSON form of a dump") {
    auto contents = some_contents();
    contents.damages = {{"page 7", "cut short"}};
    contents.pipelines[0].batches.erase(contents.pipelines[0].batches.begin(),
                                        contents.pipelines[0].batches.begin() + 2);
    CHECK(nlohmann::json::parse(dump_json(contents)) == nlohmann::json::parse(R"({
        "format": 3, "created_at": "2026-11-24T11:59:00.000Z", "created_by": "pawl 0.1.0", "writer_pid": 4711,
        "pipelines": [{
            "name": "lex",
            "source": {"mode": "revision", "database": "karp", "table": "lex"},
            "target": {"alias": "lex", "index": "lex-20261124t115900z", "uuid": "uuid-1"},
            "high": 2000, "watermark": 501, "fill": null, "gaps": [[502, 502], [600, 609]], "gaps_unproven": 3,
            "checkpoint": {"revision": 400, "written_at": "2026-11-24T11:59:59.000Z"},
            "anchors": [{"revision": 400, "digest": "000000000000002a"},
                        {"revision": 2000, "digest": "000000000000002b"}],
            "shape": "000000000000002c",
            "incidents": [{"number": 1, "at": "2026-11-24T11:59:30.000Z", "label": "R10",
                           "text": "the index is not the journal's"}],
            "condition": "RETRYING", "condition_detail": "elasticsearch: connection refused",
            "condition_since": "2026-11-24T12:00:00.000Z", "quarantined": 1,
            "batches": [{
                "id": "lex/17", "state": "INTENT", "revisions": [[901, 1000], [1002, 1002], [1004, 1100],
         [1102, 2000]],
                "rows": 500, "indexed": 480, "removed": 15, "invalid": 1, "done": 0, "superseded": 0,
         "quarantined": 0,
                "digest": "000000000000001f", "index_uuid": "uuid-1", "intent_at": "2026-11-24T12:00:00.000Z",
                "applied_at": null, "committed_at": null}]}],
        "damages": [{"where": "page 7", "what": "cut short"}]})"));
}

TEST_CASE("a dump can be narrowed to a batch, a state, a pipeline") {
    const auto ids = [](const Result<DumpChoice>& choice) {
        auto contents = some_contents();
        REQUIRE(choice);
        REQUIRE(apply(*choice, contents));
        std::vector<journal::BatchId> found;
        for (const auto& batch : contents.pipelines.front().batches)
            found.push_back(batch.id);
        return found;
    };
    using Ids = std::vector<journal::BatchId>;
    CHECK(ids(DumpChoice::parse("", "", "")) == Ids{15, 16, 17});
    CHECK(ids(DumpChoice::parse("", "16", "")) == Ids{16});
    CHECK(ids(DumpChoice::parse("", "lex/16", "")) == Ids{16});
    CHECK(ids(DumpChoice::parse("lex", "", "intent")) == Ids{17});
    CHECK(ids(DumpChoice::parse("", "16", "INTENT")).empty());
}

TEST_CASE("a wrong choice says what is right") {
    CHECK(DumpChoice::parse("", "x", "").error().message ==
          "--batch: found \"x\", expected a number or pipeline/number");
    CHECK(DumpChoice::parse("", "", "OPEN").error().message ==
          "--state: found \"OPEN\", expected INTENT, APPLIED or COMMITTED");
    CHECK(DumpChoice::parse("saldo", "lex/1", "").error().message ==
          "--batch lex/1 is not of --pipeline saldo");
    auto contents = some_contents();
    const auto unknown = apply(*DumpChoice::parse("saldo", "", ""), contents);
    REQUIRE_FALSE(unknown);
    CHECK(to_line(unknown.error()) == "the journal knows no pipeline \"saldo\"; one of: lex");
}

TEST_CASE("following prints each change of state once") {
    auto before = some_contents();
    auto now = some_contents();
    CHECK(changes_text(before, now).empty());
    CHECK(changes_json(before, now).empty());
    CHECK(changes_text({}, now).size() == 4);

    now.pipelines[0].batches[2] =
        test::batch(17, journal::BatchState::applied, journal::IntervalSet({{901, 905}}));
    now.pipelines[0].pipeline.condition = journal::Condition::running;
    now.pipelines[0].pipeline.condition_detail.clear();
    CHECK(changes_text(before, now) ==
          std::vector<std::string>{"2026-11-24T12:00:00.000Z  lex           RUNNING  ",
                                   "2026-11-24T12:00:00.120Z  lex/17        APPLIED    500 rows  901-905"});
    const auto lines = changes_json(before, now);
    REQUIRE(lines.size() == 2);
    CHECK(nlohmann::json::parse(lines[0])["condition"] == "RUNNING");
    CHECK(nlohmann::json::parse(lines[1])["batch"]["id"] == "lex/17");
}
