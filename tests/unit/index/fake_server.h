// An HTTP server for tests that does as it is told: one scripted reply for each request, good or bad.
#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace pawl::test {

struct FakeReply {
    std::string bytes = {};                                    // what is sent, as it is
    enum class Then { keep, close, reset } then = Then::keep;  // of the connection
    bool is_held = false;                                      // waits for release() before the first byte
    bool is_early = false;  // sent when the request's head is there, before its body is read
};

// A whole reply with its length: "HTTP/1.1 200 OK …".
FakeReply reply(int status, const std::string& body);
FakeReply chunked_reply(const std::vector<std::string>& chunks);

struct FakeRequest {
    std::string head;  // request line and header lines
    std::string body;
};

class FakeServer {
  public:
    // Listens on a free port of 127.0.0.1. Requests beyond the script are answered with status 599.
    explicit FakeServer(std::vector<FakeReply> script);
    ~FakeServer();
    FakeServer(const FakeServer&) = delete;
    FakeServer& operator=(const FakeServer&) = delete;

    std::string url() const;
    // Blocks until that many requests have been read (the head of an early one counts).
    std::vector<FakeRequest> wait_for_requests(std::size_t count);
    // Blocks until that many connections have been closed by the client.
    void wait_for_hang_ups(std::size_t count);
    std::size_t connections();
    void release();

  private:
    void accept_all();
    void serve(int connection);
    bool serve_one(int connection, std::string& unread);
    FakeReply next_reply();

    int listener_ = -1;
    int port_ = 0;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<FakeReply> script_;
    std::vector<FakeRequest> requests_;
    std::vector<int> open_;
    std::vector<std::thread> threads_;
    std::size_t connections_ = 0;
    std::size_t hang_ups_ = 0;
    bool is_released_ = false;
    bool is_ending_ = false;
    std::thread acceptor_;
};

// A URL at which nobody listens.
std::string dead_url();

}  // namespace pawl::test
