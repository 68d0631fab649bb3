// How durations, sizes, names and ${NAME} are written in pawl.toml. Pure, but for expand, which reads the
// environment.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/time.h"

namespace pawl::config {

// "500ms", "10s", "5m", "1h": a whole number and a unit. Empty when it is not one or too large.
std::optional<TimeMs> parse_duration(std::string_view text);
// "4MiB", "64KiB", "1GiB", "512B", "512". Empty when it is not one or too large.
std::optional<std::uint64_t> parse_size(std::string_view text);
std::optional<std::int64_t> parse_integer(std::string_view text);

// The shortest of the forms above that says exactly this: 90000 → "90s", 4194304 → "4MiB".
std::string to_duration(TimeMs span);
std::string to_size(std::uint64_t bytes);

// Replaces every ${NAME} by the environment's value; "$${" stands for "${". What is put in is not expanded
// again. Errors, kind invalid: the variable is not set, or "${" is not followed by a name and "}".
Result<std::string> expand(std::string_view text);
// Whether the text is one ${NAME} and nothing else: the only form in which a secret may stand in the file.
bool is_variable(std::string_view text);

// The candidate with the smallest edit distance; empty when none is near enough to be what was meant.
std::string nearest(std::string_view word, const std::vector<std::string>& candidates);

// A name that MariaDB takes: one of more than 64 characters is cut and ends in a digest of all of it.
std::string bounded_identifier(std::string_view name);

// a-z, 0-9, _ and -, 1 to 64 of them: what a pipeline may be called.
bool is_pipeline_name(std::string_view text);
// What Elasticsearch and OpenSearch allow as the name of an alias.
bool is_alias(std::string_view text);
// "host:port", "[::1]:port"
bool is_listen_address(std::string_view text);
// "http://host", "https://host:9200/prefix"; no user, query or fragment.
bool is_server_url(std::string_view text);

}  // namespace pawl::config
