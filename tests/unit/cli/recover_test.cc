#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/daemon_run.h"

using namespace pawl;
using namespace pawl::cli;

namespace {

ops::DaemonReport some_report() {
    const engine::RecoveryRow& replay = engine::decide({.journal = engine::JournalFact::present,
                                                        .source = engine::SourceFact::same,
                                                        .target = engine::TargetFact::same,
                                                        .memory = engine::MemoryFact::known,
                                                        .batch = engine::BatchFact::intent});
    ops::PipelineReport lex;
    lex.name = "lex";
    lex.recovery = {{&replay, 17}};
    lex.high = 20;
    lex.watermark = 18;
    lex.missing_revisions = 2;
    lex.quarantined = 1;
    ops::PipelineReport saldo;
    saldo.name = "saldo";
    saldo.error = Error{ErrorKind::unavailable, "saldo: MariaDB is down", "start it"};
    return {{lex, saldo}, false, {}};
}

}  // namespace

TEST_CASE("recover shows each batch with its row of the recovery table") {
    const std::string text = recover_text(some_report());
    CHECK(text.find("lex/17") != std::string::npos);
    CHECK(text.find("replay") != std::string::npos);
    CHECK(
        text.find("  recovered: high 20, watermark 18, 2 revisions not seen yet, 1 entity in quarantine\n") !=
        std::string::npos);
    CHECK(text.find("  stopped by an error: ") != std::string::npos);
}

TEST_CASE("the JSON form of recover") {
    const auto json = nlohmann::json::parse(recover_json(some_report()));
    const auto& lex = json["pipelines"][0];
    CHECK(lex["steps"][0]["batch"] == "lex/17");
    CHECK(lex["steps"][0]["decision"] == "replay");
    CHECK(lex["error"].is_null());
    CHECK(json["pipelines"][1]["error"]["kind"] == "unavailable");
}

TEST_CASE("a journal that was set aside is said first, with its damage and its new name") {
    ops::DaemonReport report = some_report();
    CHECK(nlohmann::json::parse(recover_json(report))["discarded_journal"].is_null());
    report.discarded_journal = {"/j/data.mdb.damaged-20261124t181204z", "page 7: it is empty"};
    CHECK(recover_text(report).starts_with(
        "journal: damaged: page 7: it is empty; set aside as /j/data.mdb.damaged-20261124t181204z\n"
        "  every pipeline rolls forward from what its index remembers, or else from the first revision\n"));
    CHECK(sync_text(report).starts_with("journal: damaged"));
    const auto json = nlohmann::json::parse(recover_json(report))["discarded_journal"];
    CHECK(json["file"] == "/j/data.mdb.damaged-20261124t181204z");
    CHECK(json["damage"] == "page 7: it is empty");
    CHECK(nlohmann::json::parse(sync_json(report))["discarded_journal"] == json);
    report.discarded_journal->damage.clear();
    CHECK(recover_text(report).starts_with("journal: discarded as asked; set aside as /j/data.mdb.damaged-"));
    CHECK(nlohmann::json::parse(recover_json(report))["discarded_journal"]["damage"].is_null());
}

TEST_CASE("sync says how each pipeline ended") {
    CHECK(sync_text(some_report()) ==
          "lex: caught up: high 20, watermark 18, 2 revisions not seen yet, 1 entity in quarantine\n"
          "saldo: stopped by an error: high 0, watermark 0\n");
    CHECK(nlohmann::json::parse(sync_json(some_report()))["pipelines"][0] ==
          nlohmann::json::parse(
              R"({"name": "lex", "high": 20, "watermark": 18, "missing_revisions": 2, "open_batches": 0,
                                    "quarantined": 1, "error": null})"));
}
