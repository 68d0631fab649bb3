// The one way errors travel: std::expected<T, Error> from where something failed to where somebody reacts.
//
// A kind exists only because pawl reacts to it in its own way; the reactions are the error table of
// docs/errors.md. What an operator reads is `message` (what happened, and where) and `advice` (what to do).
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>

namespace pawl {

enum class ErrorKind : std::uint8_t {
    unavailable,     // a server is down, busy or slow (502-504, refused, reset): retry with back-off
    overloaded,      // the index says 429 or takes too long: retry with back-off and smaller requests
    too_large,       // the index says 413: smaller requests, at once
    rejected,        // the index refuses the whole request (400): halve down to the guilty action
    forbidden,       // wrong password or missing privilege: say which, retry slowly
    target_missing,  // the alias or its index is gone: find or create it again
    invalid,         // bad usage, config, table or index: refuse to start
    storage,         // the journal cannot be written or trusted: stop before anything else is sent
    decision,        // cannot be healed safely: stop until a person decides
};

struct [[nodiscard]] Error {
    ErrorKind kind = ErrorKind::invalid;
    std::string message;  // what happened and where: "pipeline lex: table karp.lex has no column 'revison'"
    std::string advice =
        {};  // what to do, an imperative: "set pipeline.source.revision to one of: history_id, …"

    // The same error, seen from further out: "place: message".
    Error within(std::string_view place) &&;
};

template <class T>
using Result = std::expected<T, Error>;

// Shorthand for `return fail(ErrorKind::invalid, "…", "…")` in a function that returns any Result.
std::unexpected<Error> fail(ErrorKind kind, std::string message, std::string advice = {});

// The word for a kind in JSON and logs: "unavailable", "too_large", …
std::string_view name_of(ErrorKind kind);

// What the process exits with when this error ends a command (the user's contract: 2, 3 or 4).
int exit_code_of(ErrorKind kind);

// "message; advice" as one line without line breaks, for logs and terminals.
std::string to_line(const Error& error);

}  // namespace pawl
