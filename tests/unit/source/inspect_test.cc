#include "source/inspect.h"

#include <catch2/catch.hpp>

using namespace pawl::source;

namespace {

Column column(std::string name, std::string data_type, std::string_view type) {
    Column made;
    made.name = std::move(name);
    made.kind = kind_of(data_type, type);
    made.data_type = std::move(data_type);
    made.nullable = false;
    return made;
}

}  // namespace

TEST_CASE("the parts of an ordinary history table are guessed") {
    Table table;
    table.columns = {column("history_id", "bigint", "bigint(20)"),
                     column("id", "int", "int(11)"),
                     column("entity_id", "varchar", "varchar(36)"),
                     column("version", "int", "int(11)"),
                     column("message", "text", "text"),
                     column("body", "longtext", "longtext"),
                     column("discarded", "tinyint", "tinyint(1)")};
    table.columns[0].auto_increment = true;
    table.keys = {{"PRIMARY", true, true, {{"history_id", false}}},
                  {"v", false, true, {{"version", false}}},
                  {"e", false, true, {{"entity_id", false}}}};
    const Guess guess = guess_columns(table);
    CHECK(guess.revision == "history_id");
    CHECK(guess.entity == "entity_id");
    CHECK(guess.deleted == "discarded");
    CHECK(guess.body == "body");
}

TEST_CASE("nothing is guessed where nothing fits") {
    Table table;
    table.columns = {column("name", "varchar", "varchar(36)"), column("active", "tinyint", "tinyint(1)")};
    const Guess guess = guess_columns(table);
    CHECK(guess.revision.empty());
    CHECK(guess.entity.empty());
    CHECK(guess.deleted.empty());
    CHECK(guess.body.empty());
}
