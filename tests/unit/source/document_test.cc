#include "source/document.h"

#include <rapidcheck.h>
#include <simdjson.h>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <vector>

using namespace pawl;
using namespace pawl::source;
using engine::Action;

namespace {

Column column(std::string name, std::string type, ColumnKind kind) {
    Column made;
    made.name = std::move(name);
    made.data_type = std::move(type);
    made.kind = kind;
    return made;
}

// id, entity, gone, body, who, extra, raw
Table table_of_words() {
    Table table;
    table.columns = {
        column("id", "bigint", ColumnKind::integer),    column("entity", "varchar", ColumnKind::text),
        column("gone", "tinyint", ColumnKind::boolean), column("body", "longtext", ColumnKind::json),
        column("who", "varchar", ColumnKind::text),     column("extra", "longtext", ColumnKind::json),
        column("raw", "varbinary", ColumnKind::binary)};
    return table;
}

config::Pipeline pipeline_with_body() {
    config::Pipeline pipeline;
    pipeline.source.revision = "id";
    pipeline.source.entity = "entity";
    pipeline.source.deleted = "gone";
    pipeline.document.body = "body";
    pipeline.document.fields = {{"_who", "who"}, {"_extra", "extra"}};
    pipeline.document.constants = {{"_resource", "\"words\""}};
    return pipeline;
}

using Values = std::vector<std::optional<std::string>>;

// One row through a builder; the row's views point into `page`.
struct Made {
    engine::Page page;
    engine::Row row;
    Made(DocumentBuilder& builder, Values values) {
        std::vector<char*> pointers;
        std::vector<unsigned long> lengths;
        for (auto& value : values) {
            pointers.push_back(value ? value->data() : nullptr);
            lengths.push_back(value ? value->size() : 0);
        }
        builder.add({pointers.data(), lengths.data()}, page);
        REQUIRE(page.rows().size() == 1);
        row = page.rows()[0];
    }
};

}  // namespace

TEST_CASE("fields and constants are added to the body") {
    DocumentBuilder builder(shape_of(table_of_words(), pipeline_with_body()));
    const Made made(builder, {"7", "e1", "0", "{\"a\": 1}", "j\"o", " [1,\n2] "});
    CHECK(made.row.revision == 7);
    CHECK(made.row.action == Action::index);
    CHECK(made.row.entity == "e1");
    CHECK(made.row.document == R"({"a": 1,"_who":"j\"o","_extra":[1, 2],"_resource":"words"})");
}

TEST_CASE("an empty body gets no comma, a NULL field is null, a NULL mark does not delete") {
    DocumentBuilder builder(shape_of(table_of_words(), pipeline_with_body()));
    const Made made(builder, {"7", "e1", std::nullopt, " {  } ", std::nullopt, std::nullopt});
    CHECK(made.row.document == R"({  "_who":null,"_extra":null,"_resource":"words"})");
}

TEST_CASE("a row that deletes is not looked at further") {
    DocumentBuilder builder(shape_of(table_of_words(), pipeline_with_body()));
    const Made made(builder, {"7", "e1", "1", "no json", std::nullopt, std::nullopt});
    CHECK(made.row.action == Action::remove);
    CHECK(made.row.document.empty());
}

TEST_CASE("without a body every column is a field of its own name") {
    config::Pipeline pipeline = pipeline_with_body();
    pipeline.document = {};
    DocumentBuilder builder(shape_of(table_of_words(), pipeline));
    // The cells' order is revision, entity, deleted, then the others.
    const Made made(builder, {"7", "e1", "0", "{\"a\":1}", "jo", "1", std::string("\0\xff", 2)});
    CHECK(made.row.document ==
          R"({"id":7,"entity":"e1","gone":false,"body":{"a":1},"who":"jo","extra":1,"raw":"AP8="})");
}

TEST_CASE("rows that make no document say why") {
    DocumentBuilder builder(shape_of(table_of_words(), pipeline_with_body()));
    const auto error_of = [&](Values values, std::string_view reason) {
        const Made made(builder, std::move(values));
        CHECK(made.row.action == Action::invalid);
        CHECK_THAT(std::string(made.row.document), Catch::Contains(std::string(reason)));
        return std::string(made.row.error);
    };
    CHECK(error_of({"7", "", "0", "{}", "", "1"}, "column entity: the entity's id is empty") ==
          "entity_empty");
    CHECK(error_of({"7", std::string(513, 'x'), "1", "{}", "", "1"}, "513 bytes") == "entity_too_long");
    CHECK(error_of({"7", "\xff", "0", "{}", "", "1"}, "UTF-8") == "entity_not_utf8");
    CHECK(error_of({"7", "e", "0", std::nullopt, "", "1"}, "column body: it is NULL") == "invalid_body");
    CHECK(error_of({"7", "e", "0", "[]", "", "1"}, "column body: it is an array") == "invalid_body");
    CHECK(error_of({"7", "e", "0", "{}", "", "{"}, "column extra: not valid JSON") == "invalid_body");
    CHECK(error_of({"7", "e", "0", "{\"_who\":1}", "", "1"}, "_who") == "key_twice");
    CHECK(error_of({"7", "e", "0", "{}", "\xc3", "1"}, "column who") == "invalid_utf8");
}

TEST_CASE("an id of 512 bytes, with quotes and control characters, is an id") {
    DocumentBuilder builder(shape_of(table_of_words(), pipeline_with_body()));
    CHECK(Made(builder, {"7", std::string(512, 'x'), "0", "{}", "", "1"}).row.action == Action::index);
    CHECK(Made(builder, {"7", "\"\n\\", "0", "{}", "", "1"}).row.entity == "\"\n\\");
}

TEST_CASE("an integer id has no leading zeros") {
    Table table = table_of_words();
    table.columns[1] = column("entity", "int", ColumnKind::integer);
    DocumentBuilder builder(shape_of(table, pipeline_with_body()));
    CHECK(Made(builder, {"7", "00042", "0", "{}", "", "1"}).row.entity == "42");
}

TEST_CASE("a document that is too large is refused, one that just fits is not") {
    config::Pipeline pipeline = pipeline_with_body();
    pipeline.document.fields = {};
    pipeline.document.constants = {};
    pipeline.document_bytes_max = 100;
    DocumentBuilder builder(shape_of(table_of_words(), pipeline));
    const auto body = [](std::size_t bytes) { return "{\"a\":\"" + std::string(bytes - 8, 'x') + "\"}"; };
    CHECK(Made(builder, {"7", "e", "0", body(100)}).row.action == Action::index);
    CHECK(Made(builder, {"7", "e", "0", body(101)}).row.error == "document_too_large");
    pipeline.document.constants = {{"a", "\"" + std::string(90, 'x') + "\""}};
    DocumentBuilder with_constant(shape_of(table_of_words(), pipeline));
    CHECK(Made(with_constant, {"7", "e", "0", body(20)}).row.error == "key_twice");
    CHECK(Made(with_constant, {"7", "e", "0", "{\"bcdefghijkl\":1}"}).row.error == "document_too_large");
}

TEST_CASE("memory that a large row took does not change the rows after it") {
    DocumentBuilder builder(shape_of(table_of_words(), pipeline_with_body()));
    const std::string large = "{\"a\":\"" + std::string(20'000'000, 'x') + "\"}";
    CHECK(Made(builder, {"7", "e", "0", large, "", "1"}).row.document.size() > large.size());
    CHECK(Made(builder, {"8", "e", "0", "{}", "", "1"}).row.document ==
          R"({"_who":"","_extra":1,"_resource":"words"})");
}

TEST_CASE("any bytes make one JSON object on one line, or say why not") {
    DocumentBuilder builder(shape_of(table_of_words(), pipeline_with_body()));
    config::Pipeline every_column = pipeline_with_body();
    every_column.document = {};
    DocumentBuilder flat(shape_of(table_of_words(), every_column));
    const auto fragment =
        rc::gen::element<std::string>("{", "}", "\"", ":", "\"a\"", ",", "1", "\n", "[", "]", "\\", "null",
                                      "\xc3\xa9", "\xff", " ", "{\"a\":1}", "\"_who\":1");
    REQUIRE(rc::check([&] {
        const auto text = [&] {
            std::string all;
            for (const auto& part : *rc::gen::container<std::vector<std::string>>(fragment))
                all += part;
            return all;
        };
        const Values values{"1", "e" + text(), "0", text(), text(), text(), text()};
        for (DocumentBuilder* one : {&builder, &flat}) {
            const Made made(*one, values);
            RC_ASSERT(simdjson::validate_utf8(std::string(made.row.document)));
            if (made.row.action == Action::invalid) {
                RC_ASSERT(!made.row.error.empty() && !made.row.document.empty());
                continue;
            }
            RC_ASSERT(made.row.document.find('\n') == std::string_view::npos);
            RC_ASSERT(nlohmann::json::parse(made.row.document).is_object());
        }
    }));
}
