#include <catch2/catch.hpp>

#include "cli/init_view.h"
#include "tests/unit/config/config_file.h"

using namespace pawl;
using namespace pawl::cli;

namespace {

source::Column column(std::string name) {
    source::Column made;
    made.name = std::move(name);
    made.kind = source::ColumnKind::text;
    return made;
}

InitWish some_wish() {
    InitWish wish;
    wish.mariadb.database = "karp";
    wish.mariadb.user = "pawl";
    return wish;
}

source::Table some_table() {
    source::Table table;
    table.database = "karp";
    table.name = "Lex \"1\"";
    for (const char* name : {"history_id", "entity_id", "discarded", "body", "version", "odd ${x}\\"})
        table.columns.push_back(column(name));
    return table;
}

}  // namespace

TEST_CASE("what init prints is a config that loads, and means the table") {
    const test::ConfigFile file(
        init_config(some_wish(), some_table(), {"history_id", "entity_id", "discarded", "body"}));
    CHECK(file.problems().empty());
    const auto config = config::load(file.file());
    REQUIRE(config);
    const auto& pipeline = config->pipelines.front();
    CHECK(pipeline.name == "lex1");
    CHECK(pipeline.index.alias == "lex1");
    CHECK(pipeline.source.table == "Lex \"1\"");
    CHECK(pipeline.source.revision == "history_id");
    CHECK(pipeline.source.entity == "entity_id");
    CHECK(pipeline.source.deleted == "discarded");
    CHECK(pipeline.document.body == "body");
    CHECK(pipeline.document.fields == std::vector<std::pair<std::string, std::string>>{
                                          {"version", "version"}, {"odd ${x}\\", "odd ${x}\\"}});
}

TEST_CASE("a part that no column fits is left open and said") {
    const std::string text = init_config(some_wish(), some_table(), {"history_id", "", "", ""});
    CHECK(text.find("# entity = \"…\"   # no column of this table fits: ") != std::string::npos);
    const auto problems = test::problems_of(text);
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().find("pipeline.source.entity: is missing") != std::string::npos);
}
