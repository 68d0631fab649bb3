// Where the real servers of this test run are. tools/servers started them and wrote their addresses down.
#pragma once
#include <string>

namespace pawl::test {

// The MariaDB of this run. root has no password. The test makes its own databases and drops them.
struct MariadbServer {
    std::string socket;
    int port;
};

// The search server of this run, for instance "elasticsearch-8.19.7" at "http://127.0.0.1:9200".
struct IndexServer {
    std::string name;
    std::string url;
};

// Both throw std::runtime_error, which fails the test, when the server is not there: a test without its
// server proves nothing. The message says how to run it.
MariadbServer mariadb_server();
IndexServer index_server();

}  // namespace pawl::test
