#include "source/body.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>

#include "source/json.h"
#include "source/limits.h"

namespace pawl::source {
namespace {

static_assert(JsonChecker::padding_bytes >= simdjson::SIMDJSON_PADDING);

constexpr std::string_view white_space = " \t\n\r";

bool is_number_byte(char byte) {
    return (byte >= '0' && byte <= '9') || byte == '-' || byte == '+' || byte == '.' || byte == 'e' ||
           byte == 'E';
}

// simdjson refuses integers beyond 64 bits and numbers beyond a double, which JSON allows: in a copy, each
// well-formed number becomes a 0.
std::string with_short_numbers(std::string_view text) {
    std::string copy(text);
    std::size_t at = 0;
    while (at < copy.size()) {
        if (copy[at] == '"') {
            for (++at; at < copy.size() && copy[at] != '"'; ++at)
                if (copy[at] == '\\') ++at;
            ++at;
        } else if (copy[at] == '-' || (copy[at] >= '0' && copy[at] <= '9')) {
            std::size_t end = at;
            while (end < copy.size() && is_number_byte(copy[end]))
                ++end;
            if (is_json_number(std::string_view(copy).substr(at, end - at))) {
                copy[at] = '0';
                std::fill(copy.begin() + static_cast<std::ptrdiff_t>(at) + 1,
                          copy.begin() + static_cast<std::ptrdiff_t>(end), ' ');
            }
            at = end;
        } else {
            ++at;
        }
    }
    return copy;
}

bool is_number_error(simdjson::error_code error) {
    return error == simdjson::NUMBER_ERROR || error == simdjson::NUMBER_OUT_OF_RANGE;
}

std::string_view word_for(simdjson::dom::element_type type) {
    using simdjson::dom::element_type;
    switch (type) {
        case element_type::ARRAY:
            return "an array";
        case element_type::OBJECT:
            return "an object";
        case element_type::STRING:
            return "a string";
        case element_type::BOOL:
            return "a boolean";
        case element_type::NULL_VALUE:
            return "null";
        default:
            return "a number";
    }
}

// In valid JSON a line break can only stand outside strings.
void flatten_lines(char* text, std::size_t bytes) {
    for (const char line_break : {'\n', '\r'}) {
        char* at = text;
        char* const end = text + bytes;
        while ((at = static_cast<char*>(std::memchr(at, line_break, static_cast<std::size_t>(end - at)))) !=
               nullptr)
            *at++ = ' ';
    }
}

std::string_view trimmed(std::string_view text) {
    const std::size_t first = text.find_first_not_of(white_space);
    if (first == std::string_view::npos) return {};
    return text.substr(first, text.find_last_not_of(white_space) - first + 1);
}

}  // namespace

AddedKeys::AddedKeys(std::vector<std::string> keys) : keys_(std::move(keys)) {
    for (const auto& key : keys_)
        sizes_ |= std::uint64_t{1} << (key.size() % 64);
}

bool AddedKeys::contains(std::string_view key) const {
    if ((sizes_ >> (key.size() % 64) & 1) == 0) return false;
    return std::ranges::find(keys_, key) != keys_.end();
}

struct JsonChecker::Parser {
    simdjson::dom::parser parser;
};

JsonChecker::JsonChecker() : parser_(std::make_unique<Parser>()) {}
JsonChecker::~JsonChecker() = default;

std::expected<JsonText, Problem> JsonChecker::object(char* text, std::size_t bytes, const AddedKeys& added) {
    return check(text, bytes, &added);
}

std::expected<JsonText, Problem> JsonChecker::value(char* text, std::size_t bytes) {
    return check(text, bytes, nullptr);
}

std::expected<JsonText, Problem> JsonChecker::check(char* text, std::size_t bytes, const AddedKeys* added) {
    const auto invalid = [](std::string reason) {
        return std::unexpected(Problem{"invalid_body", std::move(reason)});
    };
    std::string copy;
    simdjson::dom::element root;
    auto error = parser_->parser.parse(text, bytes, false).get(root);
    if (is_number_error(error)) {
        copy = with_short_numbers({text, bytes});
        error = parser_->parser.parse(copy.data(), copy.size(), true).get(root);
    }
    if (error == simdjson::EMPTY) return invalid("it is empty");
    if (error != simdjson::SUCCESS)
        return invalid(fmt::format("not valid JSON: {}", simdjson::error_message(error)));

    JsonText checked;
    if (added != nullptr) {
        simdjson::dom::object object;
        if (root.get(object) != simdjson::SUCCESS)
            return invalid(fmt::format("it is {}, not a JSON object", word_for(root.type())));
        checked.empty_object = object.begin() == object.end();
        for (const auto [key, value] : object)
            if (added->contains(key))
                return std::unexpected(Problem{
                    "key_twice", fmt::format("it already has the key {}, which pipeline.document adds",
                                             json_string(cut(key, limits::reason_bytes_max / 4)))});
    }
    flatten_lines(text, bytes);
    checked.text = trimmed({text, bytes});
    if (bytes > limits::row_bytes_kept_max) parser_ = std::make_unique<Parser>();
    return checked;
}

}  // namespace pawl::source
