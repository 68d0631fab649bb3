// A folder in memory for targets that read files.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>

namespace pawl::fuzz {

// Made in $TMPDIR, without it in /dev/shm; removed at the process's end unless it dies of a finding.
const std::filesystem::path& folder();

// Replaces the file's content.
void write_bytes(const std::filesystem::path& file, std::string_view bytes);
std::string read_bytes(const std::filesystem::path& file);

}  // namespace pawl::fuzz
