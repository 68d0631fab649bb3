// ${NAME} in the values of pawl.toml.
#include <algorithm>
#include <cstdlib>

#include <fmt/core.h>

#include "config/limits.h"
#include "config/problems.h"
#include "config/values.h"

namespace pawl::config {
namespace {

bool is_variable_name(std::string_view name) {
    const auto letter = [](char byte) {
        return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') || byte == '_';
    };
    return !name.empty() && letter(name.front()) && std::all_of(name.begin(), name.end(), [&](char byte) {
        return letter(byte) || (byte >= '0' && byte <= '9');
    });
}

}  // namespace

Result<std::string> expand(std::string_view text) {
    std::string expanded;
    while (true) {
        const auto start = text.find("${");
        expanded += text.substr(0, start);
        if (start == text.npos) return expanded;
        if (start > 0 && text[start - 1] == '$') {
            // "$${": one of the two dollars has been taken over already.
            expanded += '{';
            text.remove_prefix(start + 2);
            continue;
        }
        const auto end = text.find('}', start);
        const auto name = end == text.npos ? std::string_view{} : text.substr(start + 2, end - start - 2);
        if (!is_variable_name(name))
            return fail(ErrorKind::invalid, "found \"${\" without a variable's name and \"}\" after it",
                        "write ${NAME}, or $${ for a plain ${");
        const char* const value = std::getenv(std::string(name).c_str());
        if (value == nullptr) {
            const std::string shown = shortened(name, limits::shown_key_bytes_max);
            return fail(ErrorKind::invalid, fmt::format("the environment variable {} is not set", shown),
                        fmt::format("set {} in pawl's environment, or write the value here", shown));
        }
        expanded += value;
        text.remove_prefix(end + 1);
    }
}

bool is_variable(std::string_view text) {
    return text.starts_with("${") && text.ends_with('}') && is_variable_name(text.substr(2, text.size() - 3));
}

}  // namespace pawl::config
