#include "source/outbox_tables.h"

#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::source;

namespace {

Column column_of(const std::string& type, const std::string& character_set = "",
                 const std::string& name = "id") {
    Column column;
    column.name = name;
    column.type = type;
    column.data_type = type.substr(0, type.find_first_of("( "));
    column.kind = kind_of(column.data_type, type);
    column.nullable = false;
    column.is_character = !character_set.empty();
    column.character_set = character_set;
    return column;
}

bool holds(const std::string& into, const std::string& from) {
    return holds_all_of(column_of(into), column_of(from));
}

config::Source source_of(std::vector<std::string> columns) {
    config::Source source;
    source.entity = "as written";
    std::vector<std::string> literals(columns.size() + 1);
    source.outbox = config::Outbox{"o", {std::move(columns), std::move(literals)}, "", {}};
    return source;
}

std::string only_finding(const Findings& findings) {
    REQUIRE(findings.all().size() == 1);
    return findings.all().front().error.message;
}

}  // namespace

TEST_CASE("an integer holds what no value of can be out of its range") {
    CHECK(holds("bigint(20)", "int(11)"));
    CHECK(holds("int(10)", "int(11)"));
    CHECK(holds("bigint(20)", "int(10) unsigned"));
    CHECK_FALSE(holds("int(11)", "bigint(20)"));
    CHECK_FALSE(holds("int(11)", "int(10) unsigned"));
    CHECK_FALSE(holds("bigint(20) unsigned", "int(11)"));
    CHECK_FALSE(holds("varchar(20)", "int(11)"));
    CHECK_FALSE(holds("int(11)", "uuid"));
}

TEST_CASE("a text holds shorter ones of its character set") {
    CHECK(holds_all_of(column_of("varchar(20)", "latin1"), column_of("varchar(10)", "latin1")));
    CHECK_FALSE(holds_all_of(column_of("varchar(9)", "latin1"), column_of("varchar(10)", "latin1")));
    CHECK_FALSE(holds_all_of(column_of("varchar(20)", "latin1"), column_of("varchar(10)", "utf8mb4")));
    CHECK_FALSE(holds_all_of(column_of("varchar(20)", "latin1"), column_of("char(10)", "latin1")));
}

TEST_CASE("an entity's key is unique by the columns that are named, or by some of them") {
    Table table;
    table.database = "karp";
    table.name = "lex";
    table.columns = {column_of("int(11)", "", "id"), column_of("varchar(9)", "latin1", "tenant")};
    const auto findings_for = [&](std::vector<std::string> columns) {
        Findings findings;
        check_entity_key(table, source_of(std::move(columns)), findings);
        return findings;
    };
    table.keys = {{"PRIMARY", true, true, {{"tenant"}, {"id"}}}};
    CHECK(findings_for({"id", "tenant"}).all().empty());
    CHECK_THAT(only_finding(findings_for({"id"})), Catch::Contains("no PRIMARY or UNIQUE key"));
    table.keys = {{"PRIMARY", true, true, {{"id"}}}};
    CHECK(findings_for({"tenant", "id"}).all().empty());
    table.keys = {{"k", false, true, {{"id"}}}};
    CHECK_THAT(only_finding(findings_for({"id"})), Catch::Contains("no PRIMARY or UNIQUE key"));
    table.keys = {{"k", true, true, {{"tenant", true}}}};
    CHECK_THAT(only_finding(findings_for({"tenant"})), Catch::Contains("no PRIMARY or UNIQUE key"));
    CHECK_THAT(only_finding(findings_for({"nope"})), Catch::Contains("no column 'nope'"));
    table.keys = {{"PRIMARY", true, true, {{"id"}}}};
    table.columns[0].nullable = true;
    CHECK_THAT(only_finding(findings_for({"id"})), Catch::Contains("must be NOT NULL"));
    table.columns[0] = column_of("datetime", "", "id");
    CHECK_THAT(only_finding(findings_for({"id"})), Catch::Contains("cannot be of an entity's id"));
}
