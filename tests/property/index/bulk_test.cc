#include "index/bulk.h"

#include <rapidcheck.h>
#include <simdjson.h>

#include <catch2/catch.hpp>

using namespace pawl::engine;

namespace {

// Any characters, so that every length of UTF-8 and every control character comes.
rc::Gen<std::string> any_utf8() {
    const auto character = rc::gen::map(
        rc::gen::oneOf(rc::gen::inRange<char32_t>(0, 0x80), rc::gen::inRange<char32_t>(0x80, 0xd800),
                       rc::gen::inRange<char32_t>(0xe000, 0x110000)),
        [](char32_t point) {
            const auto tail = [point](int shift) {
                return static_cast<char>(0x80 | ((point >> shift) & 0x3f));
            };
            if (point < 0x80) return std::string{static_cast<char>(point)};
            if (point < 0x800) return std::string{static_cast<char>(0xc0 | (point >> 6)), tail(0)};
            if (point < 0x10000)
                return std::string{static_cast<char>(0xe0 | (point >> 12)), tail(6), tail(0)};
            return std::string{static_cast<char>(0xf0 | (point >> 18)), tail(12), tail(6), tail(0)};
        });
    return rc::gen::map(rc::gen::container<std::vector<std::string>>(character), [](const auto& characters) {
        std::string text;
        for (const auto& one : characters)
            text += one;
        return text;
    });
}

}  // namespace

TEST_CASE("what is encoded is what a JSON reader reads back") {
    CHECK(rc::check([] {
        Page page;
        const auto count = *rc::gen::inRange(1, 8);
        for (int i = 0; i < count; ++i) {
            const bool is_index = *rc::gen::arbitrary<bool>();
            const std::string entity = *any_utf8();
            const auto revision = *rc::gen::arbitrary<std::uint64_t>() >> 1;
            page.add({revision, is_index ? Action::index : Action::remove, entity,
                      is_index ? R"({"value":)" + std::to_string(i) + "}" : ""});
        }
        std::string out;
        pawl::index::encode_bulk(page.rows(), out);

        simdjson::dom::parser parser;
        std::size_t position = 0;
        const auto next_line = [&] {
            const auto end = out.find('\n', position);
            RC_ASSERT(end != std::string::npos);
            auto line = out.substr(position, end - position);
            position = end + 1;
            return line;
        };
        for (const auto& row : page.rows()) {
            const auto line = next_line();
            const char* const name = row.action == Action::index ? "index" : "delete";
            simdjson::dom::element root = parser.parse(line);
            RC_ASSERT(std::string_view(root[name]["_id"]) == row.entity);
            RC_ASSERT(std::uint64_t(root[name]["version"]) == row.revision);
            RC_ASSERT(std::string_view(root[name]["version_type"]) == "external_gte");
            if (row.action == Action::index) RC_ASSERT(next_line() == row.document);
        }
        RC_ASSERT(position == out.size());
    }));
}
