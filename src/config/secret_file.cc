#include "config/secret_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>

#include <fmt/core.h>

#include "config/limits.h"

namespace pawl::config {
namespace {

std::unexpected<Error> cannot_read(const std::filesystem::path& file, int code) {
    return fail(ErrorKind::invalid,
                fmt::format("cannot read {}: {}", file.string(), std::generic_category().message(code)),
                "give the path of a file that pawl's user may read");
}

// Closes on every way out.
struct Descriptor {
    int fd;
    ~Descriptor() {
        if (fd >= 0) ::close(fd);
    }
};

}  // namespace

Result<std::string> read_file(const std::filesystem::path& file, std::size_t bytes_max) {
    const Descriptor descriptor{::open(file.c_str(), O_RDONLY | O_CLOEXEC)};
    if (descriptor.fd < 0) return cannot_read(file, errno);
    std::string content;
    char buffer[4096];
    while (content.size() <= bytes_max) {
        const ssize_t count = ::read(descriptor.fd, buffer, sizeof buffer);
        if (count == 0) return content;
        if (count > 0)
            content.append(buffer, static_cast<std::size_t>(count));
        else if (errno != EINTR)
            return cannot_read(file, errno);
    }
    return fail(ErrorKind::invalid, fmt::format("{} is longer than {} bytes", file.string(), bytes_max),
                "give the path of the right file");
}

Result<SecretFile> read_secret(const std::filesystem::path& file) {
    auto content = read_file(file, limits::secret_bytes_max);
    if (!content) return std::unexpected(std::move(content.error()));
    if (content->ends_with('\n')) content->pop_back();
    if (content->ends_with('\r')) content->pop_back();
    if (content->empty())
        return fail(ErrorKind::invalid,
                    fmt::format("{} is empty, expected a secret of one line", file.string()),
                    "write the secret into it");
    if (content->find_first_of(std::string_view("\n\r\0", 3)) != std::string::npos)
        return fail(ErrorKind::invalid,
                    fmt::format("{} has several lines, expected a secret of one line", file.string()),
                    "write the secret alone into it");
    struct stat facts{};
    const bool known = ::stat(file.c_str(), &facts) == 0;
    return SecretFile{Secret(std::move(*content)), known && (facts.st_mode & S_IROTH) != 0};
}

}  // namespace pawl::config
