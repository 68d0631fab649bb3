#include "config/toml_reader.h"

#include <algorithm>
#include <sstream>

#include <fmt/core.h>

// toml++ 3.3 asserts in its parser what a file can make false ("[$x]" does), and with NDEBUG it tells the
// compiler to rely on it. So its assertions throw here, whatever the build, and are caught below.
struct TomlAssertion {};
[[noreturn]] static void toml_assertion_failed() {
    throw TomlAssertion{};
}
#undef NDEBUG
#define TOML_ASSERT(expression) ((expression) ? static_cast<void>(0) : toml_assertion_failed())
#define TOML_EXCEPTIONS 1
#define TOML_ENABLE_FORMATTERS 0
#define TOML_ENABLE_WINDOWS_COMPAT 0
#include <toml++/toml.h>

namespace pawl::config {
namespace {

template <class T>
std::string printed(const T& value) {
    std::ostringstream stream;
    stream << value;
    return stream.str();
}

// Cut between two characters.
std::string shortened(const std::string& text) {
    constexpr std::size_t shown_bytes_max = 80;
    if (text.size() <= shown_bytes_max) return text;
    std::size_t end = shown_bytes_max;
    while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    return text.substr(0, end) + "…";
}

// The library limits nesting (TOML_MAX_NESTED_VALUES), so the recursion is bounded.
Node to_node(const toml::node& from);  // NOLINT(misc-no-recursion)

std::vector<Member> to_members(const toml::table& table) {
    struct Placed {
        toml::source_position place;
        Member member;
    };
    std::vector<Placed> placed;
    for (const auto& [key, value] : table) {
        const auto place = key.source().begin;
        placed.push_back({place, {std::string(key.str()), static_cast<int>(place.line), to_node(value)}});
    }
    // The library sorts by name; people think in the order of their file.
    std::stable_sort(placed.begin(), placed.end(),
                     [](const Placed& left, const Placed& right) { return left.place < right.place; });
    std::vector<Member> members;
    members.reserve(placed.size());
    for (Placed& entry : placed)
        members.push_back(std::move(entry.member));
    return members;
}

Node to_node(const toml::node& from) {
    Node node;
    node.line = static_cast<int>(from.source().begin.line);
    if (const auto* table = from.as_table()) {
        node.kind = NodeKind::table;
        node.members = to_members(*table);
    } else if (const auto* array = from.as_array()) {
        node.kind = NodeKind::array;
        for (const auto& item : *array)
            node.items.push_back(to_node(item));
    } else if (const auto* text = from.as_string()) {
        node.kind = NodeKind::string;
        node.text = text->get();
    } else if (const auto* integer = from.as_integer()) {
        node.kind = NodeKind::integer;
        node.integer = integer->get();
    } else if (const auto* real = from.as_floating_point()) {
        node.kind = NodeKind::real;
        node.real = real->get();
    } else if (const auto* boolean = from.as_boolean()) {
        node.kind = NodeKind::boolean;
        node.boolean = boolean->get();
    } else {
        node.kind = NodeKind::time;
        if (const auto* date = from.as_date()) node.text = printed(date->get());
        if (const auto* time = from.as_time()) node.text = printed(time->get());
        if (const auto* date_time = from.as_date_time()) node.text = printed(date_time->get());
    }
    return node;
}

std::unexpected<Error> not_toml(const std::string& place, std::string_view what) {
    return fail(ErrorKind::invalid, fmt::format("{}: not TOML: {}", place, what),
                "correct that line; https://toml.io shows how TOML is written");
}

bool asserts(std::string_view text) {
    try {
        static_cast<void>(toml::parse(text));
    } catch (const TomlAssertion&) {
        return true;
    } catch (const toml::parse_error&) {
        return false;
    }
    return false;
}

// The line at which the parser gave up by an assertion, which says no place: the lines before it alone do not
// make it give up.
int asserting_line(std::string_view text) {
    std::vector<std::size_t> ends;
    for (auto end = text.find('\n'); end != text.npos; end = text.find('\n', end + 1))
        ends.push_back(end + 1);
    const auto found = std::partition_point(ends.begin(), ends.end(),
                                            [&](std::size_t end) { return !asserts(text.substr(0, end)); });
    return static_cast<int>(found - ends.begin()) + 1;
}

}  // namespace

Result<Node> read_toml(std::string_view text, const std::string& name) {
    try {
        const toml::table table = toml::parse(text, name);
        return to_node(table);
    } catch (const toml::parse_error& error) {
        const auto place = error.source().begin;
        return not_toml(fmt::format("{}:{}:{}", name, place.line, place.column), error.description());
    } catch (const TomlAssertion&) {
        return not_toml(fmt::format("{}:{}", name, asserting_line(text)),
                        "a character that cannot stand here");
    }
}

std::string describe(const Node& node) {
    switch (node.kind) {
        case NodeKind::string:
            return fmt::format("\"{}\" (a string)", shortened(node.text));
        case NodeKind::integer:
            return fmt::format("{} (an integer)", node.integer);
        case NodeKind::real:
            return fmt::format("{} (a floating-point number)", node.real);
        case NodeKind::boolean:
            return fmt::format("{} (a boolean)", node.boolean);
        case NodeKind::time:
            return fmt::format("{} (a date or time)", node.text);
        case NodeKind::array:
            return "an array";
        case NodeKind::table:
            break;
    }
    return "a table";
}

}  // namespace pawl::config
