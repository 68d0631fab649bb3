#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/status_view.h"
#include "tests/unit/cli/contents.h"

using namespace pawl;
using namespace pawl::cli;

namespace {

config::Config two_pipelines() {
    config::Config config;
    config.pipelines.resize(2);
    config.pipelines[0].name = "lex";
    config.pipelines[1].name = "saldo";
    return config;
}

}  // namespace

TEST_CASE("the human form of a status, with limits and what has not begun") {
    const config::Config config = two_pipelines();
    CHECK(status_text(test::some_contents(), &config) ==
          "pawl is running with pid 4711\n"
          "\n"
          "lex: RETRYING since 2026-11-24T12:00:00.000Z\n"
          "  because       elasticsearch: connection refused\n"
          "  from, to      karp.lex → lex-20261124t115900z\n"
          "  read through  2000 (high)\n"
          "  safe through  501 (watermark)\n"
          "  checkpoint    400, told to the index at 2026-11-24T11:59:59.000Z\n"
          "  open batches  2 of at most 4\n"
          "  gaps          2 of at most 10000: 502, 600-609\n"
          "  unproven      3 revisions left the gaps after gap_grace, not proven dead: rows that came later "
          "are "
          "not in the index\n"
          "  quarantine    1 of at most 10000\n"
          "  limits        2000 documents or 4MiB a batch, 2 requests in flight, documents of 32MiB, "
          "poll every 500ms, gap grace 1h, retry after 200ms to 30s\n"
          "  incident      2026-11-24T11:59:30.000Z  R10  the index is not the journal's\n"
          "\n"
          "saldo: has not begun yet\n");
}

TEST_CASE("the last verification is shown, in both forms") {
    ops::VerifyRecord record{.at = 1'764'000'000'000, .index = "lex-1", .revision = 501, .documents = 31};
    for (const verify::Kind kind : verify::kinds)
        record.differences[std::string(name_of(kind))] = 0;
    const auto text = [&] { return status_text(test::some_contents(), nullptr, {{"lex", record}}); };
    const auto json = [&] {
        return nlohmann::json::parse(status_json(test::some_contents(), nullptr,
                                                 {{"lex", record}}))["pipelines"][0]["last_verification"];
    };
    CHECK_THAT(text(),
               Catch::Contains("  verified      2025-11-24T16:00:00.000Z: equal, 31 documents at revision "
                               "501\n"));
    CHECK(json()["equal"] == true);
    record.differences["surplus"] = 10'000;
    record.more_differences = true;
    CHECK_THAT(text(), Catch::Contains("DIFFERENT: 10000 surplus or more, 31 documents at revision 501\n"));
    CHECK(json()["counts"]["surplus"] == 10'000);
    CHECK(json()["counts"].size() == 6);
    CHECK(json()["at"] == "2025-11-24T16:00:00.000Z");
    record.error = "a\nb";
    CHECK_THAT(text(), Catch::Contains("verified      2025-11-24T16:00:00.000Z: could not be: a\\x0ab\n"));
    CHECK(json().size() == 2);
    CHECK(json()["error"] == "a\nb");
}

TEST_CASE("a status without a config has no limits") {
    auto contents = test::some_contents();
    contents.writer_pid.reset();
    const std::string text = status_text(contents, nullptr);
    CHECK(text.starts_with("pawl is not running\n"));
    CHECK(text.find("open batches  2\n") != std::string::npos);
    CHECK(text.find("limits") == std::string::npos);
}

TEST_CASE("the JSON form of a status") {
    const config::Config config = two_pipelines();
    CHECK(nlohmann::json::parse(status_json(test::some_contents(), &config)) == nlohmann::json::parse(R"({
        "running": true, "pid": 4711, "damaged": false,
        "pipelines": [{
            "name": "lex", "high": 2000, "watermark": 501, "fill": null, "open_batches": 2, "quarantined": 1,
            "checkpoint": {"revision": 400, "written_at": "2026-11-24T11:59:59.000Z"},
            "last_verification": null,
            "incidents": [{"number": 1, "at": "2026-11-24T11:59:30.000Z", "label": "R10",
                           "text": "the index is not the journal's"}],
            "gaps": [[502, 502], [600, 609]], "gaps_unproven": 3, "condition": "RETRYING",
            "condition_detail": "elasticsearch: connection refused",
         "condition_since": "2026-11-24T12:00:00.000Z",
            "limits": {"batch_documents": 2000, "batch_bytes": 4194304, "batches_open": 4,
         "requests_in_flight": 2,
                       "quarantine": 10000, "gaps": 10000, "document_bytes": 33554432, "poll_interval_ms": 500,
                       "gap_grace_ms": 3600000, "checkpoint_interval_ms": 30000,
                       "retry_delay_min_ms": 200, "retry_delay_max_ms": 30000}}]})"));
    auto contents = test::some_contents();
    contents.writer_pid.reset();
    const auto json = nlohmann::json::parse(status_json(contents, nullptr));
    CHECK(json["running"] == false);
    CHECK(json["pid"].is_null());
    CHECK(json["pipelines"][0]["limits"].is_null());
}
