#include "tests/integration/source/private_server.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <catch2/catch.hpp>
#include <chrono>
#include <csignal>
#include <thread>

#include "source/connection.h"

extern char** environ;

namespace pawl::test {
namespace {

constexpr auto start_timeout = std::chrono::seconds(60);
constexpr auto start_poll = std::chrono::milliseconds(50);

void run(const std::string& command) {
    INFO(command);
    REQUIRE(std::system(command.c_str()) == 0);
}

std::string new_folder() {
    std::string folder = "/tmp/pawl-mariadb-XXXXXX";
    REQUIRE(::mkdtemp(folder.data()) != nullptr);
    return folder;
}

// The data folder of a server that has never run. Making one takes seconds, copying it does not.
class FreshData {
  public:
    FreshData() : folder_(new_folder()) {
        run(
            fmt::format("mariadb-install-db --no-defaults --datadir={0}/data --user=$(id -un) "
                        "--auth-root-authentication-method=normal --skip-test-db --skip-name-resolve "
                        ">{0}/install.log 2>&1",
                        folder_));
    }
    ~FreshData() {
        std::error_code ignored;
        std::filesystem::remove_all(folder_, ignored);
    }
    FreshData(const FreshData&) = delete;
    FreshData& operator=(const FreshData&) = delete;

    void copy_to(const std::string& folder) const {
        run(fmt::format("cp -a --sparse=always {}/data {}/data", folder_, folder));
    }

  private:
    std::string folder_;
};

}  // namespace

int free_port() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    REQUIRE(::bind(socket, reinterpret_cast<sockaddr*>(&address), size) == 0);
    REQUIRE(::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) == 0);
    ::close(socket);
    return ntohs(address.sin_port);
}

PrivateServer::PrivateServer(std::vector<std::string> options, bool with_tls) : options_(std::move(options)) {
    folder_ = new_folder();
    port_ = free_port();
    static const FreshData fresh;
    fresh.copy_to(folder_.string());
    if (with_tls) make_certificates();
    start();
}

PrivateServer::~PrivateServer() {
    kill();
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
}

void PrivateServer::make_certificates() {
    const auto folder = folder_.string();
    run(fmt::format(
        "cd {} && (openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=authority -keyout ca.key "
        "-out ca.pem && openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=other -keyout other.key "
        "-out other.pem && openssl req -newkey rsa:2048 -nodes -subj /CN=localhost -keyout key.pem "
        "-out request.pem && openssl x509 -req -in request.pem -CA ca.pem -CAkey ca.key -CAcreateserial "
        "-days 2 -out certificate.pem) >openssl.log 2>&1",
        folder));
    options_.push_back(fmt::format("--ssl-ca={}/ca.pem", folder));
    options_.push_back(fmt::format("--ssl-cert={}/certificate.pem", folder));
    options_.push_back(fmt::format("--ssl-key={}/key.pem", folder));
}

void PrivateServer::start() {
    const auto folder = folder_.string();
    std::vector<std::string> words{"mariadbd",
                                   "--no-defaults",
                                   fmt::format("--datadir={}/data", folder),
                                   fmt::format("--socket={}/s", folder),
                                   fmt::format("--pid-file={}/pid", folder),
                                   fmt::format("--log-error={}/log", folder),
                                   fmt::format("--port={}", port_),
                                   "--bind-address=127.0.0.1",
                                   "--innodb-buffer-pool-size=16M",
                                   "--table-open-cache=200"};
    if (::geteuid() == 0) words.emplace_back("--user=root");
    words.insert(words.end(), options_.begin(), options_.end());
    std::vector<char*> arguments;
    for (auto& word : words)
        arguments.push_back(word.data());
    arguments.push_back(nullptr);
    ::setenv("PATH", fmt::format("{}:/usr/sbin", ::getenv("PATH")).c_str(), 1);
    REQUIRE(::posix_spawnp(&pid_, "mariadbd", nullptr, nullptr, arguments.data(), environ) == 0);
    const auto deadline = std::chrono::steady_clock::now() + start_timeout;
    for (;;) {
        source::Interrupt interrupt;
        if (source::Connection::open(settings(), interrupt)) return;
        INFO("see " << folder << "/log");
        REQUIRE(std::chrono::steady_clock::now() < deadline);
        std::this_thread::sleep_for(start_poll);
    }
}

void PrivateServer::kill() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    pid_ = -1;
}

void PrivateServer::freeze() {
    ::kill(pid_, SIGSTOP);
}

void PrivateServer::thaw() {
    ::kill(pid_, SIGCONT);
}

config::MariaDb PrivateServer::settings() const {
    config::MariaDb settings;
    settings.socket = (folder_ / "s").string();
    settings.user = "root";
    return settings;
}

config::MariaDb PrivateServer::tls_settings() const {
    config::MariaDb settings;
    settings.host = "localhost";
    settings.port = static_cast<std::uint16_t>(port_);
    settings.user = "root";
    settings.ca_file = (folder_ / "ca.pem").string();
    return settings;
}

}  // namespace pawl::test
