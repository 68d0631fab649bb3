#include "verify/json_digest.h"

#include <rapidcheck.h>

#include <algorithm>
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pawl::verify;
using Json = nlohmann::ordered_json;

namespace {

Json some_value(int depth) {
    switch (*rc::gen::inRange(0, depth > 0 ? 7 : 5)) {
        case 0:
            return nullptr;
        case 1:
            return *rc::gen::arbitrary<bool>();
        case 2:
            return *rc::gen::inRange(-50, 50);
        case 3:
            return *rc::gen::inRange(-50, 50) / 8.0;
        case 4:
            return std::string(static_cast<std::size_t>(*rc::gen::inRange(0, 3)),
                               *rc::gen::inRange('a', 'd'));
        case 5: {
            Json array = Json::array();
            for (int count = *rc::gen::inRange(0, 4); count > 0; --count)
                array.push_back(some_value(depth - 1));
            return array;
        }
        default: {
            Json object = Json::object();
            for (int count = *rc::gen::inRange(0, 4); count > 0; --count)
                object[std::string(1, *rc::gen::inRange('a', 'f'))] = some_value(depth - 1);
            return object;
        }
    }
}

// The same value, written in another way.
std::string another_spelling(const Json& value) {
    if (value.is_object()) {
        std::vector<std::string> members;
        for (const auto& [key, member] : value.items())
            members.push_back(" " + Json(key).dump() + " :\t" + another_spelling(member));
        std::ranges::reverse(members);
        std::string text = "{";
        for (const auto& member : members)
            text += (text.size() > 1 ? "," : "") + member;
        return text + "\n}";
    }
    if (value.is_array()) {
        std::string text = "[";
        for (const auto& element : value)
            text += (text.size() > 1 ? " ," : " ") + another_spelling(element);
        return text + " ]";
    }
    if (value.is_number_integer()) return value.dump() + (*rc::gen::arbitrary<bool>() ? ".00" : "0E-1");
    return value.dump();
}

}  // namespace

TEST_CASE("a value has one digest however it is written, and two values have two") {
    CHECK(rc::check([] {
        const Json left = Json{{"v", some_value(4)}};
        const Json right = Json{{"v", some_value(4)}};
        JsonDigester digester;
        const auto digest = digester.digest_of(left.dump());
        RC_ASSERT(digester.digest_of(another_spelling(left)) == digest);
        // nlohmann's unordered objects compare as values, 1 and 1.0 too.
        const bool same = nlohmann::json(left) == nlohmann::json(right);
        RC_ASSERT((digester.digest_of(right.dump()) == digest) == same);
    }));
}
