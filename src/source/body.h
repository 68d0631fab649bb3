// JSON that a column holds: checked, and made fit for one line of NDJSON. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace pawl::source {

// Why a row makes no document.
struct Problem {
    std::string_view error;  // a constant: "invalid_body", "key_twice", …
    std::string reason;      // for a person
};

// Keys that pawl adds to a body, as they are and not as JSON spells them.
class AddedKeys {
  public:
    AddedKeys() = default;
    explicit AddedKeys(std::vector<std::string> keys);
    bool contains(std::string_view key) const;

  private:
    std::vector<std::string> keys_;
    std::uint64_t sizes_ = 0;  // a bit for each size modulo 64: most keys are told apart by it
};

struct JsonText {
    std::string_view text;      // inside what was given, without white space around it
    bool empty_object = false;  // "{}", whatever the space inside
};

// Keeps memory for the next text. One thread.
class JsonChecker {
  public:
    static constexpr std::size_t padding_bytes = 64;  // readable after a text; simdjson reads in blocks

    JsonChecker();
    ~JsonChecker();
    JsonChecker(const JsonChecker&) = delete;
    JsonChecker& operator=(const JsonChecker&) = delete;

    // One JSON object in valid UTF-8 that has none of the keys `added`. Its line breaks outside strings
    // become spaces, in place. Numbers may be as long as they like. Problems: "invalid_body", "key_twice".
    std::expected<JsonText, Problem> object(char* text, std::size_t bytes, const AddedKeys& added);

    // The same for any JSON value.
    std::expected<JsonText, Problem> value(char* text, std::size_t bytes);

  private:
    struct Parser;
    std::expected<JsonText, Problem> check(char* text, std::size_t bytes, const AddedKeys* added);

    std::unique_ptr<Parser> parser_;
};

}  // namespace pawl::source
