#include "source/table.h"

#include <catch2/catch.hpp>

using namespace pawl::source;

namespace {

Table with_keys(std::vector<Key> keys) {
    Table table;
    table.keys = std::move(keys);
    return table;
}

}  // namespace

TEST_CASE("a revision's key is unique by that column alone") {
    const Table table = with_keys({{"PRIMARY", true, true, {{"a", false}, {"b", false}}},
                                   {"u", true, true, {{"id", false}}},
                                   {"k", false, true, {{"x", false}}}});
    REQUIRE(unique_key_of(table, "ID") != nullptr);
    CHECK(unique_key_of(table, "id")->name == "u");
    CHECK(unique_key_of(table, "a") == nullptr);
    CHECK(unique_key_of(table, "x") == nullptr);
}

TEST_CASE("the entity's key goes on with the revision, if there is such a one") {
    const Table table = with_keys({{"PRIMARY", true, true, {{"id", false}}},
                                   {"late", false, true, {{"entity", false}, {"time", false}}},
                                   {"part", false, true, {{"entity", true}}},
                                   {"good", false, true, {{"entity", false}}},
                                   {"other", false, true, {{"time", false}, {"entity", false}}}});
    CHECK(entity_key_of(table, "entity", "id")->name == "good");
    CHECK(entity_key_of(table, "body", "id") == nullptr);
    // Where the revision is not the primary key, a key on the entity alone does not hold it.
    const Table second = with_keys({{"PRIMARY", true, true, {{"pk", false}}},
                                    {"plain", false, true, {{"entity", false}}},
                                    {"both", false, true, {{"entity", false}, {"id", false}}},
                                    {"ignored", false, false, {{"entity", false}, {"id", false}}}});
    CHECK(entity_key_of(second, "entity", "id")->name == "both");
}

TEST_CASE("near names are found, far ones are not offered") {
    CHECK(near_names("revison", {"revision", "version", "body"}).front() == "revision");
    CHECK(near_names("Entity_ID", {"entity_id"}).size() == 1);
    CHECK(near_names("xyz", {"history_id", "discarded"}).empty());
}
