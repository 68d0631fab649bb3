// A database with an outbox, for the tests of its SQL.
#pragma once

#include "source/outbox_setup.h"
#include "tests/integration/source/world.h"

namespace pawl::test {

// A pipeline of the table `lex` and its usual outbox. One column, or several with "/" between them.
config::Pipeline outbox_pipeline(std::vector<std::string> columns = {"id"}, const std::string& table = "lex");

config::JoinedTable joined_table(const std::string& table, std::vector<std::string> columns);

// As `pawl outbox-sql --apply`: the steps that were carried out. Fails the test on an error.
std::vector<std::string> set_up(TestDatabase& database, const config::Pipeline& pipeline);

// The outbox's keys in the order of their ids, "a/b" for those of several columns, and empties it.
std::vector<std::string> take_outbox(TestDatabase& database, const config::Pipeline& pipeline);

}  // namespace pawl::test
