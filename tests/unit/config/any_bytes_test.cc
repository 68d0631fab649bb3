// Whatever stands in the file, load says so and lives on.
#include <rapidcheck.h>

#include <catch2/catch.hpp>

#include "tests/unit/config/config_file.h"

using namespace pawl;

namespace {

rc::Gen<std::string> toml_ish_line() {
    return rc::gen::element<std::string>(
        "[mariadb]", "[[pipeline]]", "[pipeline.source]", "[pipeline]", "[elasticsearch]", "port = 1",
        "port = -9e99", "urls = [", "]", "\"http://x\",", "a.b.c = {", "}", "mode = \"outbox\"", "name = '''",
        "x = 1979-05-27T07:32:00Z", "user = \"${\"", "password = \"\\u0000\"", "create = \"/\"",
        "constants = { a = [[[]]], b = nan }", "fields = [1]", "\xff\xfe", "# å", "= = =", "\"\" = 1",
        "limits = 0x7fffffffffffffff", "path = \"\\u0000\"");
}

}  // namespace

TEST_CASE("any bytes are a config or a list of problems") {
    const test::ConfigFile file;
    REQUIRE(rc::check([&](const std::string& bytes) {
        file.write("pawl.toml", bytes);
        const auto config = config::load_all(file.file());
        RC_ASSERT((config || !config.error().empty()));  // RC_ASSERT looks at both sides of a bare ||
    }));
}

TEST_CASE("any lines that look like TOML are a config or a list of problems") {
    const test::ConfigFile file;
    REQUIRE(rc::check([&] {
        const auto lines = *rc::gen::container<std::vector<std::string>>(toml_ish_line());
        std::string text;
        for (const auto& line : lines)
            text += line + "\n";
        file.write("pawl.toml", text);
        const auto config = config::load_all(file.file());
        RC_ASSERT((config || !config.error().empty()));  // RC_ASSERT looks at both sides of a bare ||
    }));
}

TEST_CASE("a good config with some bytes changed is a config or a list of problems") {
    const test::ConfigFile file;
    REQUIRE(rc::check([&] {
        std::string text(test::smallest_config);
        const auto changes = *rc::gen::container<std::vector<std::pair<std::size_t, char>>>(
            rc::gen::pair(rc::gen::inRange<std::size_t>(0, text.size()), rc::gen::arbitrary<char>()));
        for (const auto& [place, byte] : changes)
            text[place] = byte;
        file.write("pawl.toml", text);
        const auto config = config::load_all(file.file());
        RC_ASSERT((config || !config.error().empty()));  // RC_ASSERT looks at both sides of a bare ||
    }));
}
