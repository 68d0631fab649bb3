#include "verify/json_digest.h"

#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <simdjson.h>
#include <xxhash.h>

#include "verify/limits.h"

namespace pawl::verify {
namespace {

namespace ondemand = simdjson::ondemand;

// What kind of value a digest is of, so that "1" and 1 are not the same.
enum class Tag : std::uint64_t {
    null = 1,
    yes = 2,
    no = 3,
    number = 4,
    text = 5,
    array = 6,
    object = 7,
    bytes = 8
};

std::uint64_t digest(Tag tag, std::string_view bytes) {
    return XXH3_64bits_withSeed(bytes.data(), bytes.size(), static_cast<std::uint64_t>(tag));
}

std::uint64_t mix(Tag tag, std::uint64_t left, std::uint64_t right) {
    const std::array<std::uint64_t, 3> all{static_cast<std::uint64_t>(tag), left, right};
    return XXH3_64bits(all.data(), sizeof(all));
}

// Of a double in its shortest form, "-1.25e+02": digits and exponent → "-125", or "125e-2" with a fraction.
std::string with_exponent(std::string_view shortest) {
    const std::size_t e = shortest.find('e');
    std::string digits;
    int exponent = 0;
    const char* const power = shortest.data() + e + (shortest[e + 1] == '+' ? 2 : 1);
    std::from_chars(power, shortest.data() + shortest.size(), exponent);
    for (const char byte : shortest.substr(0, e)) {
        if (byte == '.') continue;
        digits += byte;
    }
    const std::size_t point = shortest.find('.');
    if (point != shortest.npos) exponent -= static_cast<int>(e - point) - 1;
    while (digits.size() > 1 && digits.back() == '0' && digits[digits.size() - 2] != '-') {
        digits.pop_back();
        ++exponent;
    }
    if (digits == "0" || digits == "-0") return "0";
    if (exponent < 0) return digits + "e" + std::to_string(exponent);
    return digits.append(static_cast<std::size_t>(exponent), '0');
}

}  // namespace

std::string canonical_number(std::string_view number) {
    if (number.find_first_of(".eE") == number.npos) return std::string(number == "-0" ? "0" : number);
    double value = 0;
    const auto parsed = std::from_chars(number.data(), number.data() + number.size(), value);
    if (parsed.ec != std::errc{} || !std::isfinite(value))
        return std::string(number);  // out of a double's range
    std::array<char, 64> text{};
    const auto written =
        std::to_chars(text.data(), text.data() + text.size(), value, std::chars_format::scientific);
    return with_exponent({text.data(), static_cast<std::size_t>(written.ptr - text.data())});
}

struct JsonDigester::Impl {
    explicit Impl(SourceFilter kept) : filter(std::move(kept)), filters(!filter.keeps_all()) {}

    // Empty: there is nothing to compare (left out by the filter). `included`: by a path above.
    struct Part {
        std::optional<std::uint64_t> digest;
        bool failed = false;
    };
    static Part failure() { return {.digest = std::nullopt, .failed = true}; }

    // NOLINTNEXTLINE(misc-no-recursion): at most limits::json_depth_max deep
    Part value_of(ondemand::value value, std::string& path, bool included, unsigned depth) {
        ondemand::json_type type{};
        if (depth > limits::json_depth_max || value.type().get(type) != simdjson::SUCCESS) return failure();
        if (type == ondemand::json_type::object) return object_of(value, path, included, depth);
        if (type == ondemand::json_type::array) return array_of(value, path, included, depth);
        auto part = scalar_of(value, type);
        if (!part.failed && !included) part.digest.reset();
        return part;
    }

    static Part scalar_of(ondemand::value value, ondemand::json_type type) {
        if (type == ondemand::json_type::string) {
            std::string_view text;
            if (value.get_string().get(text) != simdjson::SUCCESS) return failure();
            return {digest(Tag::text, text)};
        }
        if (type == ondemand::json_type::boolean) {
            bool is_true = false;
            if (value.get_bool().get(is_true) != simdjson::SUCCESS) return failure();
            return {mix(is_true ? Tag::yes : Tag::no, 0, 0)};
        }
        if (type == ondemand::json_type::null) return {mix(Tag::null, 0, 0)};
        std::string_view token = value.raw_json_token();
        // Up to the next token: white space may follow.
        token = token.substr(0, token.find_last_not_of(" \t\r\n") + 1);
        return {digest(Tag::number, canonical_number(token))};
    }

    // The sum does not know the order of the members.
    Part object_of(ondemand::value value, std::string& path, bool included, unsigned depth) {
        ondemand::object object;
        if (value.get_object().get(object) != simdjson::SUCCESS) return failure();
        std::uint64_t sum = 0;
        std::uint64_t count = 0;
        const std::size_t path_size = path.size();
        for (auto member : object) {
            ondemand::field field;
            std::string_view key;
            if (std::move(member).get(field) != simdjson::SUCCESS ||
                field.unescaped_key().get(key) != simdjson::SUCCESS)
                return failure();
            const std::uint64_t key_digest = digest(Tag::text, key);
            bool kept = included;
            if (filters) {
                path.resize(path_size);
                if (path_size > 0) path += '.';
                path += key;
                if (filter.excludes(path)) continue;
                kept = included || filter.includes(path);
            }
            const Part part = value_of(field.value(), path, kept, depth + 1);
            if (part.failed) return part;
            if (!part.digest) continue;
            sum += mix(Tag::object, key_digest, *part.digest);
            ++count;
        }
        path.resize(path_size);
        if (filters && count == 0) return {};
        return {mix(Tag::object, sum, count)};
    }

    Part array_of(ondemand::value value, std::string& path, bool included, unsigned depth) {
        ondemand::array array;
        if (value.get_array().get(array) != simdjson::SUCCESS) return failure();
        std::uint64_t all = 0;
        std::uint64_t count = 0;
        for (auto element : array) {
            ondemand::value item;
            if (std::move(element).get(item) != simdjson::SUCCESS) return failure();
            const Part part = value_of(item, path, included, depth + 1);
            if (part.failed) return part;
            if (!part.digest) continue;
            all = mix(Tag::array, all, *part.digest);
            ++count;
        }
        if (filters && count == 0) return {};
        return {mix(Tag::array, all, count)};
    }

    SourceFilter filter;
    bool filters;
    ondemand::parser parser;
    std::string padded;
};

JsonDigester::JsonDigester(SourceFilter filter) : impl_(std::make_unique<Impl>(std::move(filter))) {}
JsonDigester::~JsonDigester() = default;

std::uint64_t JsonDigester::digest_of(std::string_view json) {
    impl_->padded.assign(json);
    impl_->padded.append(simdjson::SIMDJSON_PADDING, '\0');
    const auto read = [&]() -> Impl::Part {
        ondemand::document document;
        ondemand::value root;
        const simdjson::padded_string_view text(impl_->padded.data(), json.size(), impl_->padded.size());
        if (impl_->parser.iterate(text).get(document) != simdjson::SUCCESS ||
            document.get_value().get(root) != simdjson::SUCCESS)
            return Impl::failure();
        std::string path;
        return impl_->value_of(root, path, impl_->filter.includes(""), 0);
    };
    const auto part = read();
    std::uint64_t found = part.failed ? digest(Tag::bytes, json) : part.digest.value_or(1);
    if (found == 0) found = 1;
    return found;
}

}  // namespace pawl::verify
