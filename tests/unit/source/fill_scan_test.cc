#include "source/fill_scan.h"

#include <catch2/catch.hpp>

using namespace pawl::source;

namespace {

std::string statement_for(const std::string& character_set) {
    Table table;
    table.database = "karp";
    table.name = "lex";
    table.columns = {{.name = "history_id", .type = "bigint(20)", .data_type = "bigint"},
                     {.name = "entity_id", .type = "varchar(40)", .data_type = "varchar"}};
    table.columns.back().is_character = !character_set.empty();
    table.columns.back().character_set = character_set;
    table.keys = {{"PRIMARY", true, true, {{"history_id", false}}},
                  {"entity", false, true, {{"entity_id", false}}}};
    pawl::config::Source source;
    source.revision = "history_id";
    source.entity = "entity_id";
    return fill_scan_sql(table, source).rows;
}

}  // namespace

TEST_CASE("entities of character sets in which two may come as one are asked for as bytes") {
    for (const char* const set : {"big5", "cp932", "latin1", "ucs2"})
        CHECK_THAT(statement_for(set), Catch::Contains("CAST(`entity_id` AS BINARY)"));
    for (const char* const set : {"utf8mb4", "utf8mb3", "ascii", ""})
        CHECK_THAT(statement_for(set), !Catch::Contains("CAST"));
}
