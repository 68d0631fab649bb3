#include "ops/notify.h"

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>

#include <catch2/catch.hpp>

using namespace pawl;

TEST_CASE("readiness is one datagram to the socket that NOTIFY_SOCKET names") {
    std::string folder = (std::filesystem::temp_directory_path() / "pawl-notify-XXXXXX").string();
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    const std::string path = folder + "/s";
    const int fd = ::socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    std::strcpy(address.sun_path, path.c_str());
    REQUIRE(::bind(fd, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0);

    ::setenv("NOTIFY_SOCKET", path.c_str(), 1);
    ops::notify("READY=1");
    char buffer[64];
    const ssize_t size = ::recv(fd, buffer, sizeof buffer, 0);
    REQUIRE(size == 7);
    CHECK(std::string(buffer, 7) == "READY=1");
    ::close(fd);
    std::filesystem::remove_all(folder);
}

TEST_CASE("without a listener readiness is nothing") {
    ::setenv("NOTIFY_SOCKET", "/nowhere/at/all", 1);
    ops::notify("READY=1");
    ::unsetenv("NOTIFY_SOCKET");
    ops::notify("READY=1");
}
