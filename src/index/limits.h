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

// libcurl copies the request through this buffer, one for each connection. Measured on loopback, own CPU for
// a document of 565 bytes: 0.36-0.43 µs with 64 KiB (the default), 0.30-0.33 with 256 KiB, no less with 1 or
// 2 MiB.
inline constexpr std::size_t upload_buffer_bytes = 256ULL << 10;
// A request's buffer is used again unless it has grown beyond this (one huge document).
inline constexpr std::size_t kept_buffer_bytes_max = 8ULL << 20;
inline constexpr std::size_t kept_buffers_max = 4;

// A scan over all documents. Without their sources a document takes some 60 bytes of a page.
inline constexpr std::size_t scan_documents = 5'000;            // a page, without sources
inline constexpr std::size_t scan_documents_with_source = 500;  // fewer where they are large
inline constexpr std::size_t scan_answer_bytes_max = 16ULL << 20;
inline constexpr std::size_t source_answer_bytes_max = 64ULL << 20;  // with sources
inline constexpr int scan_keep_minutes = 5;                          // between two pages
inline constexpr TimeMs scan_timeout_ms = 60'000;                    // of one page
inline constexpr std::size_t scroll_id_bytes_max = 64ULL << 10;
inline constexpr std::size_t id_bytes_max = 512;
inline constexpr std::size_t documents_got_max = 200;  // looked at exactly, at a time

inline constexpr TimeMs gc_deletes_default_ms = 60'000;  // what an index has whose settings do not name it
inline constexpr TimeMs gc_deletes_short_ms = 300'000;   // `check` warns below
inline constexpr TimeMs gc_deletes_min_ms = 10'000;      // refused below: no request could be short enough
inline constexpr const char* gc_deletes_created = "1h";  // of an index that pawl makes
inline constexpr TimeMs create_attempts_max = 3;         // names tried for a new index
inline constexpr TimeMs replicas_wait_max_ms = 600'000;  // for the replicas of a rebuilt index
inline constexpr TimeMs admin_timeout_ms = 20'000;       // a question about the target; creating it

}  // namespace pawl::index::limits
