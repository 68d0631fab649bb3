#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "cli/check_view.h"

using namespace pawl;
using namespace pawl::cli;

namespace {

const Finding good{"journal", "", Verdict::ok, "/j: a new journal will be made"};
const Finding careful{"config", "", Verdict::warning, "every user can read p"};
const Finding down = to_finding("mariadb", "lex", {ErrorKind::unavailable, "cannot connect", "start it"});
const Finding column = to_finding("mariadb", "lex", {ErrorKind::invalid, "no column x", "name one"});
const Finding config_wrong = to_finding("config", "", {ErrorKind::invalid, "pawl.toml:1: port", ""});

}  // namespace

TEST_CASE("the human form of a check") {
    CHECK(check_text({careful, good, down}) == R"(config
  ! every user can read p
journal
  ✓ /j: a new journal will be made
mariadb
  ✗ cannot connect
      Try: start it

1 problem to mend before pawl can work, 1 warning
)");
    CHECK(check_text({good}).ends_with("\npawl can start\n"));
}

TEST_CASE("the JSON form of a check") {
    CHECK(nlohmann::json::parse(check_json({good, column})) ==
          nlohmann::json::parse(R"({"ok": false, "findings": [
        {"subject": "journal", "pipeline": null, "verdict": "ok", "what": "/j: a new journal will be made",
         "advice": ""},
        {"subject": "mariadb", "pipeline": "lex", "verdict": "error", "what": "no column x",
         "advice": "name one"}]})"));
}

TEST_CASE("the exit code of a check: 2 config, 3 unreachable, 1 anything else, 0 with warnings only") {
    CHECK(exit_code_of(std::vector<Finding>{}) == 0);
    CHECK(exit_code_of(std::vector<Finding>{good, careful}) == 0);
    CHECK(exit_code_of(std::vector<Finding>{good, column}) == 1);
    CHECK(exit_code_of(std::vector<Finding>{column, down}) == 3);
    CHECK(exit_code_of(std::vector<Finding>{down, config_wrong}) == 2);
}

TEST_CASE("a server that is down is told once") {
    std::vector<Finding> findings;
    add_once(findings, down);
    Finding again = down;
    again.pipeline = "saldo";
    add_once(findings, again);
    CHECK(findings.size() == 1);
}
