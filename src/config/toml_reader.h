// TOML as a tree with line numbers, in the order of the file. The one place that knows the TOML library.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pawl::config {

enum class NodeKind : std::uint8_t { string, integer, real, boolean, time, array, table };

struct Member;
struct Node {
    NodeKind kind = NodeKind::table;
    int line = 0;
    std::string text;  // string: as written, ${NAME} not yet expanded; time: as TOML writes it
    std::int64_t integer = 0;
    double real = 0;
    bool boolean = false;
    std::vector<Node> items;      // array
    std::vector<Member> members;  // table
};
struct Member {
    std::string key;
    int line = 0;
    Node value;
};

// Any bytes are fit to be asked about. `name` is the file's, for the message.
// Errors, kind invalid: "name:line:column: what the parser did not like".
Result<Node> read_toml(std::string_view text, const std::string& name);

// What an error says was found: `"abc" (a string)`, `5 (an integer)`, `an array`. Long strings are cut.
std::string describe(const Node& node);

}  // namespace pawl::config
