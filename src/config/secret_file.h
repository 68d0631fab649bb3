// Files that hold one password or key, and other files that a config names.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>

#include "base/error.h"
#include "config/config.h"

namespace pawl::config {

struct SecretFile {
    Secret secret;
    bool world_readable = false;
};

// One line; the line break at its end is no part of it.
// Errors, kind invalid: not readable, empty, several lines, longer than limits::secret_bytes_max.
Result<SecretFile> read_secret(const std::filesystem::path& file);

// The whole of a file of at most `bytes_max`. Errors, kind invalid: not readable, longer.
Result<std::string> read_file(const std::filesystem::path& file, std::size_t bytes_max);

}  // namespace pawl::config
