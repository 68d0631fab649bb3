// HTTP to the index: one thread for all pipelines, several requests at a time, kept-alive connections,
// fail-over between URLs. Knows nothing of what the requests mean.
//
// Redirects are not followed, proxies of the environment are not used (a sidecar talks to its own cluster;
// name a proxy as a URL if there must be one), and no protocol but HTTP/1.1 and HTTPS is spoken.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "base/time.h"
#include "config/config.h"

namespace pawl::index {

enum class Method : std::uint8_t { get, put, post, remove };
enum class BodyType : std::uint8_t { json, ndjson, ndjson_gzip };

struct HttpRequest {
    Method method = Method::get;
    std::string path = {};  // "/lex/_bulk?timeout=…", percent-encoded; comes after the URL's own path
    std::string body = {};  // of put and post
    BodyType body_type = BodyType::json;
    // From submit to answer: waiting for a free connection and all fail-over count.
    TimeMs timeout_ms = 0;
    std::size_t answer_bytes_max = 0;
    std::optional<std::size_t> url = {};  // only this one, no fail-over
    // By clock_now(). What has not begun by then is not sent any more, however it came to wait: in a queue,
    // or because the whole process was stopped. The error is `unavailable`.
    std::optional<TimeMs> begin_before = {};
};

struct HttpResponse {
    int status = 0;
    std::string body;
    std::string where = {};  // "POST http://h:9200/lex/_bulk", for messages; never holds a secret
};

struct HttpResult {
    // Any status is a response. Error, kind unavailable: no whole answer, the request may or may not have
    // taken effect; too_large: the answer is longer than asked for.
    Result<HttpResponse> response;
    std::string request_body;  // given back, so that its memory can be used again
};

// Runs on the HTTP thread, or at once in submit() of a session that is closed; must not block or throw.
using HttpDone = std::move_only_function<void(HttpResult)>;

class HttpClient {
  public:
    // Checks the settings (kind invalid) and starts the thread. Nothing is sent yet.
    static Result<std::unique_ptr<HttpClient>> make(const config::Elasticsearch& settings);
    // All sessions must be closed before.
    ~HttpClient();
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;

    const std::vector<std::string>& urls() const;

  private:
    friend class HttpSession;
    class Thread;
    explicit HttpClient(std::unique_ptr<Thread> thread);
    std::unique_ptr<Thread> thread_;
};

// The requests of one user of the client, which end together. Any thread, but not the HTTP thread itself.
class HttpSession {
  public:
    explicit HttpSession(HttpClient& client);
    ~HttpSession() { close(); }
    HttpSession(const HttpSession&) = delete;
    HttpSession& operator=(const HttpSession&) = delete;

    // Every request is answered by exactly one call of `done`.
    void submit(HttpRequest request, HttpDone done);
    // Waits for the answer.
    Result<HttpResponse> call(HttpRequest request);
    // Aborts what is under way; `done` of all of it has been called (with an error) when this returns. Later
    // requests fail at once.
    void close();

  private:
    HttpClient& client_;
    std::uint64_t id_;
};

// `text` as one segment of a path: all but unreserved characters are percent-encoded.
std::string percent_encoded(std::string_view text);

}  // namespace pawl::index
