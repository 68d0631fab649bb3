// Every limit of the index adapter. Those that a user can set are in config/config.h; these cannot be set.
#pragma once

#include <cstddef>

#include "base/time.h"
#include "journal/limits.h"

namespace pawl::index::limits {

inline constexpr std::size_t urls_max = 32;
inline constexpr std::size_t connections_max =
    32;  // transfers at a time, all pipelines together; others wait
inline constexpr TimeMs url_rest_ms =
    5'000;                                // a URL that failed is not tried for so long if another is there
inline constexpr TimeMs poll_ms = 1'000;  // the HTTP thread's longest sleep; it is woken when there is work

// An answer that is longer is an error (too_large for a bulk: fewer actions have a shorter answer). A
// rejected item takes some 500 bytes of answer, a good one 25.
inline constexpr std::size_t bulk_answer_bytes_max = 32ULL << 20;
inline constexpr std::size_t admin_answer_bytes_max = 4ULL << 20;
inline constexpr std::size_t error_reason_bytes_max = 512;  // of the index's words that are kept and shown
inline constexpr std::size_t error_type_bytes_max = 64;
inline constexpr std::size_t identity_bytes_max =
    journal::limits::identity_bytes_max;  // of an index's name and UUID: servers stay below 256
inline constexpr std::size_t privileges_listed_max = 20;  // that are missing; more are not worth a list
inline constexpr std::size_t create_body_bytes_max = 4ULL << 20;

// libcurl copies the request through this buffer, one for each connection. Measured on loopback, own CPU for
// a document of 565 bytes: 0.36-0.43 µs with 64 KiB (the default), 0.30-0.33 with 256 KiB, no less with 1 or
// 2 MiB.
inline constexpr std::size_t upload_buffer_bytes = 256ULL << 10;
// A request's buffer is used again unless it has grown beyond this (one huge document).
inline constexpr std::size_t kept_buffer_bytes_max = 8ULL << 20;
inline constexpr std::size_t kept_buffers_max = 4;

inline constexpr TimeMs gc_deletes_default_ms = 60'000;  // what an index has whose settings do not name it
inline constexpr TimeMs gc_deletes_short_ms = 300'000;   // `check` warns below
inline constexpr TimeMs gc_deletes_min_ms = 10'000;      // refused below: no request could be short enough
inline constexpr const char* gc_deletes_created = "1h";  // of an index that pawl makes
inline constexpr TimeMs admin_timeout_ms = 20'000;       // a question about the target; creating it

}  // namespace pawl::index::limits
