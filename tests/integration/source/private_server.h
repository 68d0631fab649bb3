// A MariaDB of the test's own, for what cannot be done to the shared one: TLS, killing, replicas, options.
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <string>
#include <vector>

#include "config/config.h"

namespace pawl::test {

// A TCP port on the loopback that was free a moment ago.
int free_port();

class PrivateServer {
  public:
    // Installs the data folder and starts. Fails the test when it does not come up.
    explicit PrivateServer(std::vector<std::string> options = {}, bool with_tls = false);
    ~PrivateServer();
    PrivateServer(const PrivateServer&) = delete;
    PrivateServer& operator=(const PrivateServer&) = delete;

    void kill();    // SIGKILL
    void freeze();  // SIGSTOP: it takes connections and answers nothing
    void thaw();
    void start();  // on the same data and socket

    // root by the socket, without TLS.
    config::MariaDb settings() const;
    // root by TCP, with TLS against the right authority.
    config::MariaDb tls_settings() const;
    int port() const { return port_; }
    std::filesystem::path folder() const { return folder_; }

  private:
    void make_certificates();

    std::filesystem::path folder_;
    std::vector<std::string> options_;
    int port_ = 0;
    pid_t pid_ = -1;
};

}  // namespace pawl::test
