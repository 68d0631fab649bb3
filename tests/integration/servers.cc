#include "tests/integration/servers.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>
#include <fstream>
#include <stdexcept>

namespace pawl::test {
namespace {

std::string environment(const std::string& name) {
    const char* value = std::getenv(name.c_str());
    if (value == nullptr) {
        throw std::runtime_error(name +
                                 " is not set; run this test by ctest or tools/test, or see tools/README.md");
    }
    return value;
}

// The value of a NAME=value line in the servers' file.
std::string variable(const std::string& name) {
    const std::string path = environment("PAWL_TEST_SERVERS");
    std::ifstream file(path);
    for (std::string line; std::getline(file, line);) {
        if (line.starts_with(name + "=")) {
            return line.substr(name.size() + 1);
        }
    }
    throw std::runtime_error(path + " has no " + name + ": that server does not run (tools/servers start)");
}

}  // namespace

MariadbServer mariadb_server() {
    return {variable("PAWL_TEST_MARIADB_SOCKET"), std::stoi(variable("PAWL_TEST_MARIADB_PORT"))};
}

IndexServer index_server() {
    const std::string name = environment("PAWL_TEST_INDEX");
    std::string key = name;
    std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) {
        return c == '-' || c == '.' ? '_' : static_cast<char>(std::toupper(c));
    });
    return {name, variable("PAWL_TEST_INDEX_URL_" + key)};
}

}  // namespace pawl::test
