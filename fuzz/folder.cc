#include "fuzz/folder.h"

#include <cstdlib>
#include <fstream>
#include <iterator>
#include <system_error>

#include "base/assert.h"

namespace pawl::fuzz {
namespace {

struct Folder {
    std::filesystem::path path;

    Folder() {
        const char* const parent = std::getenv("TMPDIR");
        std::string pattern = std::string(parent != nullptr ? parent : "/dev/shm") + "/pawl-fuzz-XXXXXX";
        PAWL_ASSERT(::mkdtemp(pattern.data()) != nullptr);
        path = pattern;
    }
    ~Folder() {
        std::error_code ignored;
        std::filesystem::remove_all(path, ignored);
    }
    Folder(const Folder&) = delete;
    Folder& operator=(const Folder&) = delete;
};

}  // namespace

const std::filesystem::path& folder() {
    static const Folder made;
    return made.path;
}

void write_bytes(const std::filesystem::path& file, std::string_view bytes) {
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    stream.flush();
    PAWL_ASSERT(stream.good());
}

std::string read_bytes(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    PAWL_ASSERT(stream.good());
    return {std::istreambuf_iterator<char>(stream), {}};
}

}  // namespace pawl::fuzz
