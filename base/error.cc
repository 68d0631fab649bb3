#include "base/error.h"

#include <array>
#include <utility>

#include "base/assert.h"

namespace pawl {
namespace {

struct KindFacts {
    ErrorKind kind;
    std::string_view name;
    int exit_code;
};

constexpr std::array<KindFacts, 9> facts_by_kind{{
    {ErrorKind::unavailable, "unavailable", 3},
    {ErrorKind::overloaded, "overloaded", 3},
    {ErrorKind::too_large, "too_large", 4},
    {ErrorKind::rejected, "rejected", 4},
    {ErrorKind::forbidden, "forbidden", 2},
    {ErrorKind::target_missing, "target_missing", 4},
    {ErrorKind::invalid, "invalid", 2},
    {ErrorKind::storage, "storage", 4},
    {ErrorKind::decision, "decision", 4},
}};

const KindFacts& facts_of(ErrorKind kind) {
    const auto position = static_cast<std::size_t>(kind);
    PAWL_ASSERT(position < facts_by_kind.size());
    PAWL_ASSERT(facts_by_kind[position].kind == kind);
    return facts_by_kind[position];
}

}  // namespace

Error Error::within(std::string_view place) && {
    message.insert(0, std::string(place) + ": ");
    return std::move(*this);
}

std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string advice) {
    return std::unexpected(Error{kind, std::move(message), std::move(advice)});
}

std::string_view name_of(ErrorKind kind) {
    return facts_of(kind).name;
}

int exit_code_of(ErrorKind kind) {
    return facts_of(kind).exit_code;
}

std::string to_line(const Error& error) {
    std::string line = error.message;
    if (!error.advice.empty()) line += "; " + error.advice;
    for (char& byte : line)
        if (byte == '\n' || byte == '\r') byte = ' ';
    return line;
}

}  // namespace pawl
