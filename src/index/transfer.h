// One HTTP exchange by libcurl: a handle that is used again and again, and what curl's results mean.
#pragma once

#include <curl/curl.h>

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "config/config.h"
#include "index/http.h"

namespace pawl::index {

// The header lines of every kind of request, made once. Holds the API key.
class Headers {
  public:
    explicit Headers(const config::Elasticsearch& settings);
    // For a request without body: the first list, which names no type.
    curl_slist* of(const HttpRequest& request) const;

  private:
    struct Free {
        void operator()(curl_slist* list) const { curl_slist_free_all(list); }
    };
    using List = std::unique_ptr<curl_slist, Free>;
    std::array<List, 4> lists_;
};

class Transfer {
  public:
    // `settings` and `headers` must outlive it.
    Transfer(const config::Elasticsearch& settings, const Headers& headers);
    ~Transfer();
    Transfer(const Transfer&) = delete;
    Transfer& operator=(const Transfer&) = delete;

    // Makes the handle ready for another try of `request` at `url`, within `time_left_ms`. The request's body
    // stays where it is until the exchange is over.
    void begin(const HttpRequest& request, const std::string& url, TimeMs time_left_ms);
    CURL* handle() const { return handle_; }
    // After the exchange: the response, or what went wrong.
    Result<HttpResponse> finish(CURLcode code);
    // After a failure: the server has seen nothing of the request, so that another one may be asked at once.
    bool nothing_sent(CURLcode code) const;
    // Whether all of the request's body is with the kernel by now; false of a request without one.
    bool body_sent(const HttpRequest& request) const;

  private:
    static std::size_t on_body(char* data, std::size_t size, std::size_t count, void* self);

    const Headers& headers_;
    CURL* handle_;
    std::array<char, CURL_ERROR_SIZE> error_text_{};
    std::string where_;
    std::string answer_;
    std::size_t answer_bytes_max_ = 0;
    bool answer_too_large_ = false;
};

}  // namespace pawl::index
