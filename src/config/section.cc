#include "config/section.h"

#include <unistd.h>

#include <algorithm>

#include <fmt/format.h>

#include "config/limits.h"
#include "config/secret_file.h"
#include "config/values.h"

namespace pawl::config {
namespace {

bool is_any(std::string_view) {
    return true;
}
bool is_not_empty(std::string_view text) {
    return !text.empty();
}

std::string joined(const std::vector<std::string>& words) {
    return fmt::format("\"{}\"", fmt::join(words, "\", \""));
}

}  // namespace

const TextRule any_text{is_any, "a string"};
const TextRule not_empty{is_not_empty, "a string that is not empty"};

std::optional<std::string> text_of(const Node& node, const Place& place, std::string_view expected,
                                   Problems& problems) {
    if (node.kind != NodeKind::string) {
        problems.found(place, describe(node), expected);
        return std::nullopt;
    }
    auto expanded = expand(node.text);
    if (!expanded) {
        problems.add(place, expanded.error());
        return std::nullopt;
    }
    if (expanded->find('\0') != std::string::npos) {
        problems.found(place, "a NUL byte", expected);
        return std::nullopt;
    }
    return std::move(*expanded);
}

Section::Section(const Node* table, std::string path, int line, Problems& problems)
    : table_(table), path_(std::move(path)), line_(line), problems_(problems) {
    if (table_ == nullptr || table_->kind == NodeKind::table) return;
    problems_.found({table_->line, path_}, describe(*table_), fmt::format("a table: [{}]", path_));
    table_ = nullptr;
    wrong_kind_ = true;
}

Place Section::place(std::string_view key) const {
    std::string path = path_.empty() ? std::string(key) : fmt::format("{}.{}", path_, key);
    if (table_ != nullptr)
        for (const Member& member : table_->members)
            if (member.key == key) return {member.line, std::move(path)};
    return {line_, std::move(path)};
}

const Node* Section::node(std::string_view key) {
    if (std::find(known_.begin(), known_.end(), key) == known_.end()) known_.emplace_back(key);
    if (table_ == nullptr) return nullptr;
    for (const Member& member : table_->members)
        if (member.key == key) return &member.value;
    return nullptr;
}

Section Section::section(std::string_view key) {
    const Node* const table = node(key);
    const Place where = place(key);
    return {table, where.key, where.line, problems_};
}

bool Section::text(std::string_view key, std::string& into, const TextRule& rule) {
    const Node* const value = node(key);
    if (value == nullptr) return false;
    const auto text = text_of(*value, place(key), rule.expected, problems_);
    if (!text) return true;
    if (text->size() > limits::text_bytes_max)
        problems_.found(place(key), fmt::format("{} bytes", text->size()),
                        fmt::format("at most {}", limits::text_bytes_max));
    else if (!rule.holds(*text))
        problems_.found(place(key), fmt::format("\"{}\"", *text), rule.expected);
    else
        into = *text;
    return true;
}

void Section::required(std::string_view key, std::string& into, const TextRule& rule) {
    if (!text(key, into, rule)) missing(key, rule.expected);
}

void Section::missing(std::string_view key, std::string_view expected) {
    if (!wrong_kind_) problems_.missing(place(key), expected);
}

void Section::choice(std::string_view key, std::string& into, const std::vector<std::string>& choices) {
    const Node* const value = node(key);
    if (value == nullptr) return;
    const std::string expected = "one of " + joined(choices);
    const auto text = text_of(*value, place(key), expected, problems_);
    if (!text) return;
    if (std::find(choices.begin(), choices.end(), *text) == choices.end())
        problems_.found(place(key), fmt::format("\"{}\"", *text), expected);
    else
        into = *text;
}

void Section::flag(std::string_view key, bool& into) {
    const Node* const value = node(key);
    if (value == nullptr) return;
    if (value->kind == NodeKind::boolean) {
        into = value->boolean;
        return;
    }
    constexpr std::string_view expected = "true or false";
    // "${NAME}" can only stand in a string.
    const auto text = value->kind == NodeKind::string && value->text.find("${") != std::string::npos
                          ? text_of(*value, place(key), expected, problems_)
                          : std::optional<std::string>(describe(*value));
    if (!text) return;
    if (*text == "true" || *text == "false")
        into = *text == "true";
    else
        problems_.found(place(key), *text, expected);
}

void Section::duration(std::string_view key, TimeMs& into, Range range) {
    const Node* const value = node(key);
    if (value == nullptr) return;
    const std::string expected = fmt::format("a time from \"{}\" to \"{}\" (units: ms, s, m, h)",
                                             to_duration(range.min), to_duration(range.max));
    const auto text = text_of(*value, place(key), expected, problems_);
    if (!text) return;
    const auto span = parse_duration(*text);
    if (!span || *span < range.min || *span > range.max)
        problems_.found(place(key), fmt::format("\"{}\"", *text), expected);
    else
        into = *span;
}

void Section::size(std::string_view key, std::uint64_t& into, Range range) {
    const Node* const value = node(key);
    if (value == nullptr) return;
    const auto min = static_cast<std::uint64_t>(range.min);
    const auto max = static_cast<std::uint64_t>(range.max);
    const std::string expected =
        fmt::format("a size from \"{}\" to \"{}\" (units: B, KiB, MiB, GiB)", to_size(min), to_size(max));
    std::optional<std::uint64_t> bytes;
    std::string found = describe(*value);
    if (value->kind == NodeKind::integer && value->integer >= 0) {
        bytes = static_cast<std::uint64_t>(value->integer);
    } else if (value->kind == NodeKind::string) {
        const auto text = text_of(*value, place(key), expected, problems_);
        if (!text) return;
        bytes = parse_size(*text);
        found = fmt::format("\"{}\"", *text);
    }
    if (!bytes || *bytes < min || *bytes > max)
        problems_.found(place(key), found, expected);
    else
        into = *bytes;
}

std::optional<std::int64_t> Section::integer_value(std::string_view key, Range range) {
    const Node* const value = node(key);
    if (value == nullptr) return std::nullopt;
    const std::string expected = fmt::format("a whole number from {} to {}", range.min, range.max);
    std::optional<std::int64_t> number;
    std::string found = describe(*value);
    if (value->kind == NodeKind::integer) {
        number = value->integer;
        found = std::to_string(value->integer);
    } else if (value->kind == NodeKind::string && value->text.find("${") != std::string::npos) {
        const auto text = text_of(*value, place(key), expected, problems_);
        if (!text) return std::nullopt;
        number = parse_integer(*text);
        found = fmt::format("\"{}\"", *text);
    }
    if (number && *number >= range.min && *number <= range.max) return number;
    problems_.found(place(key), found, expected);
    return std::nullopt;
}

std::filesystem::path Section::beside_config(const std::string& path) const {
    // An absolute path stays what it is.
    std::error_code ignored;
    return (std::filesystem::absolute(problems_.file(), ignored).parent_path() / path).lexically_normal();
}

void Section::path(std::string_view key, std::filesystem::path& into) {
    std::string text;
    const TextRule rule{is_not_empty, "a path"};
    if (this->text(key, text, rule) && !text.empty()) into = beside_config(text);
}

void Section::readable_file(std::string_view key, std::string& into) {
    std::filesystem::path file;
    path(key, file);
    if (file.empty()) return;
    if (::access(file.c_str(), R_OK) != 0)
        problems_.add(
            place(key),
            fmt::format("cannot read {}: {}", file.string(), std::generic_category().message(errno)),
            "give the path of a file that pawl's user may read");
    else
        into = file.string();
}

void Section::secret(std::string_view key, Secret& into) {
    const std::string file_key = fmt::format("{}_file", key);
    const Node* const literal = node(key);
    std::filesystem::path file;
    path(file_key, file);
    if (literal != nullptr && !file.empty()) {
        problems_.add(place(key), fmt::format("there is a {} too, expected one of them", file_key),
                      "remove one");
    } else if (literal != nullptr) {
        // What was found is never shown: it may be the secret.
        if (literal->kind != NodeKind::string || !is_variable(literal->text)) {
            problems_.add(
                place(key),
                fmt::format(
                    "found a literal {}, expected \"${{NAME}}\": a secret does not belong into this file",
                    key),
                fmt::format("put it into a file of mode 0600 and set {} to its path", file_key));
            return;
        }
        if (auto value = expand(literal->text); !value)
            problems_.add(place(key), value.error());
        else if (value->empty())
            problems_.add(place(key), fmt::format("{} is empty", literal->text), "set it to the secret");
        else
            into = Secret(std::move(*value));
    } else if (!file.empty()) {
        auto content = read_secret(file);
        if (!content) {
            problems_.add(place(file_key), content.error());
            return;
        }
        if (content->world_readable)
            problems_.warn(
                place(file_key),
                fmt::format("every user of this machine can read {}; chmod 0600 it", file.string()));
        into = std::move(content->secret);
    }
}

void Section::finish() {
    if (table_ == nullptr) return;
    for (const Member& member : table_->members) {
        if (std::find(known_.begin(), known_.end(), member.key) != known_.end()) continue;
        const std::string meant = nearest(member.key, known_);
        const std::string key =
            member.key.empty() ? "\"\"" : member.key;  // so that there is something to see
        const Place where{member.line, path_.empty() ? key : fmt::format("{}.{}", path_, key)};
        problems_.add(where,
                      meant.empty() ? "unknown key" : fmt::format("unknown key; did you mean \"{}\"?", meant),
                      fmt::format("known here: {}", fmt::join(known_, ", ")));
    }
}

}  // namespace pawl::config
