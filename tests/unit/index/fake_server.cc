#include "tests/unit/index/fake_server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <stdexcept>

namespace pawl::test {
namespace {

struct Bound {
    int socket;
    int port;
};

Bound bound_socket() {
    const int socket = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(socket, reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::getsockname(socket, reinterpret_cast<sockaddr*>(&address), &size) != 0)
        throw std::runtime_error("no port for the fake server");
    return {socket, ntohs(address.sin_port)};
}

std::string url_of(int port) {
    return "http://127.0.0.1:" + std::to_string(port);
}

void send_all(int connection, const std::string& bytes) {
    for (std::size_t sent = 0; sent < bytes.size();) {
        const auto count = ::send(connection, bytes.data() + sent, bytes.size() - sent, MSG_NOSIGNAL);
        if (count <= 0) return;
        sent += static_cast<std::size_t>(count);
    }
}

// False: the client has hung up.
bool read_more(int connection, std::string& into) {
    char bytes[65536];
    const auto count = ::recv(connection, bytes, sizeof bytes, 0);
    if (count <= 0) return false;
    into.append(bytes, static_cast<std::size_t>(count));
    return true;
}

std::size_t content_length(const std::string& head) {
    constexpr std::string_view name = "Content-Length: ";
    const auto found = head.find(name);
    if (found == head.npos) return 0;
    std::size_t length = 0;
    std::from_chars(head.data() + found + name.size(), head.data() + head.size(), length);
    return length;
}

}  // namespace

FakeReply reply(int status, const std::string& body) {
    return {"HTTP/1.1 " + std::to_string(status) +
            " Scripted\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) +
            "\r\n\r\n" + body};
}

FakeReply chunked_reply(const std::vector<std::string>& chunks) {
    std::string bytes = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (const auto& chunk : chunks) {
        char size[20] = {};
        std::to_chars(size, size + sizeof size, chunk.size(), 16);
        bytes += size + ("\r\n" + chunk + "\r\n");
    }
    return {bytes + "0\r\n\r\n"};
}

std::string dead_url() {
    const Bound bound = bound_socket();
    ::close(bound.socket);
    return url_of(bound.port);
}

FakeServer::FakeServer(std::vector<FakeReply> script) : script_(script.begin(), script.end()) {
    const Bound bound = bound_socket();
    listener_ = bound.socket;
    port_ = bound.port;
    ::listen(listener_, 64);
    acceptor_ = std::thread([this] { accept_all(); });
}

FakeServer::~FakeServer() {
    {
        const std::lock_guard lock(mutex_);
        is_ending_ = true;
        is_released_ = true;
        for (const int connection : open_)
            ::shutdown(connection, SHUT_RDWR);
    }
    changed_.notify_all();
    ::shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    for (auto& thread : threads_)
        thread.join();
    ::close(listener_);
}

std::string FakeServer::url() const {
    return url_of(port_);
}

std::vector<FakeRequest> FakeServer::wait_for_requests(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return requests_.size() >= count; });
    return requests_;
}

void FakeServer::wait_for_hang_ups(std::size_t count) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return hang_ups_ >= count; });
}

std::size_t FakeServer::connections() {
    const std::lock_guard lock(mutex_);
    return connections_;
}

void FakeServer::release() {
    const std::lock_guard lock(mutex_);
    is_released_ = true;
    changed_.notify_all();
}

void FakeServer::accept_all() {
    for (;;) {
        const int connection = ::accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
        if (connection < 0) return;
        const std::lock_guard lock(mutex_);
        if (is_ending_) {
            ::close(connection);
            return;
        }
        ++connections_;
        open_.push_back(connection);
        threads_.emplace_back([this, connection] { serve(connection); });
    }
}

void FakeServer::serve(int connection) {
    std::string unread;
    while (serve_one(connection, unread)) {
    }
    const std::lock_guard lock(mutex_);
    std::erase(open_, connection);
    ::close(connection);
}

FakeReply FakeServer::next_reply() {
    const std::lock_guard lock(mutex_);
    if (script_.empty()) return reply(599, "{\"error\":\"the script is over\"}");
    FakeReply next = script_.front();
    script_.pop_front();
    return next;
}

bool FakeServer::serve_one(int connection, std::string& unread) {
    std::size_t head_end = std::string::npos;
    bool is_there = true;
    while (is_there && (head_end = unread.find("\r\n\r\n")) == std::string::npos)
        is_there = read_more(connection, unread);
    FakeReply next;
    FakeRequest request;
    if (is_there) {
        next = next_reply();
        request.head = unread.substr(0, head_end + 2);
        unread.erase(0, head_end + 4);
        const std::size_t length = content_length(request.head);
        while (is_there && !next.is_early && unread.size() < length)
            is_there = read_more(connection, unread);
        request.body = unread.substr(0, length);
        unread.erase(0, length);
    }
    {
        std::unique_lock lock(mutex_);
        if (is_there) requests_.push_back(std::move(request));
        if (!is_there) ++hang_ups_;
        changed_.notify_all();
        if (!is_there) return false;
        if (next.is_held) changed_.wait(lock, [this] { return is_released_; });
    }
    send_all(connection, next.bytes);
    if (next.then == FakeReply::Then::reset) {
        const linger at_once{.l_onoff = 1, .l_linger = 0};
        ::setsockopt(connection, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    }
    return next.then == FakeReply::Then::keep;
}

}  // namespace pawl::test
