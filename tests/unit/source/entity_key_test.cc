#include "source/entity_key.h"

#include <rapidcheck.h>
#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::source;
using Values = std::vector<std::string_view>;

namespace {

const EntityKey three(config::EntityForm{{"a", "b", "c"}, {"<", "/", "aa", ">"}});

}  // namespace

TEST_CASE("a column alone is the id") {
    const EntityKey key(config::EntityForm{{"id"}, {"", ""}});
    CHECK(key.id_of(Values{"a/b"}) == "a/b");
    CHECK(key.values_of("a/b") == Values{"a/b"});
    CHECK_FALSE(key.is_ambiguous(Values{"a/b"}));
}

TEST_CASE("an id is taken apart where the template's text comes first") {
    CHECK(three.id_of(Values{"x", "y", "z"}) == "<x/yaaz>");
    CHECK(three.values_of("<x/yaaz>") == Values{"x", "y", "z"});
    CHECK(three.values_of("</aa>") == Values{"", "", ""});
    CHECK(three.values_of("<x/yaaz>>") == Values{"x", "y", "z>"});
    for (const char* const id : {"", "x/yaaz>", "<xyaaz>", "<x/yaz>", "<x/yaaz"})
        CHECK_FALSE(three.values_of(id));
}

TEST_CASE("a key is ambiguous where its id would be taken apart in another way") {
    CHECK(three.is_ambiguous(Values{"x/", "y", "z"}));
    CHECK(three.is_ambiguous(Values{"x", "yaaz", "z"}));
    CHECK(three.is_ambiguous(Values{"x", "ya", "z"}));  // <x/yaaaz> is y, az
    CHECK_FALSE(three.is_ambiguous(Values{"x", "y", "az"}));
    CHECK_FALSE(three.is_ambiguous(Values{"x", "y/", "z/aa>"}));
}

TEST_CASE("no two keys that are not ambiguous share an id") {
    CHECK(rc::check([] {
        const auto value = rc::gen::container<std::string>(rc::gen::element('a', '/', '<', '>', 'x'));
        const auto left = *rc::gen::container<std::vector<std::string>>(3, value);
        const auto right = *rc::gen::container<std::vector<std::string>>(3, value);
        const Values one(left.begin(), left.end());
        const Values other(right.begin(), right.end());
        const std::string id = three.id_of(one);
        RC_ASSERT(three.values_of(id).has_value());
        if (one == other || id != three.id_of(other)) return;
        RC_ASSERT(three.is_ambiguous(one) || three.is_ambiguous(other));
    }));
}
