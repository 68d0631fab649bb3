#include "index/http.h"

#include <future>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "index/http_thread.h"
#include "index/limits.h"

namespace pawl::index {
namespace {

std::unexpected<Error> wrong_url(std::size_t position, std::string_view why) {
    // The URL itself may hold a password, so it is not shown.
    return fail(ErrorKind::invalid,
                fmt::format("elasticsearch.urls: the URL at position {} {}", position + 1, why),
                "write http://host:port or https://host:port; name user and password_file beside it");
}

Result<void> check_url(const std::string& url, std::size_t position) {
    using Handle = std::unique_ptr<CURLU, decltype(&curl_url_cleanup)>;
    const Handle parsed(curl_url(), &curl_url_cleanup);
    const auto has = [&parsed](CURLUPart part) {
        char* text = nullptr;
        const bool found = curl_url_get(parsed.get(), part, &text, 0) == CURLUE_OK;
        curl_free(text);
        return found;
    };
    if (!url.starts_with("http://") && !url.starts_with("https://"))
        return wrong_url(position, "does not begin with http:// or https://");
    if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), 0) != CURLUE_OK)
        return wrong_url(position, "cannot be understood");
    if (has(CURLUPART_USER) || has(CURLUPART_PASSWORD))
        return wrong_url(position, "holds a user or a password");
    if (has(CURLUPART_QUERY) || has(CURLUPART_FRAGMENT))
        return wrong_url(position, "holds a query or a fragment");
    return {};
}

bool has_control_character(std::string_view text) {
    for (const char byte : text)
        if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) return true;
    return false;
}

Result<void> check_settings(const config::Elasticsearch& settings) {
    if (settings.urls.empty() || settings.urls.size() > limits::urls_max)
        return fail(ErrorKind::invalid,
                    fmt::format("elasticsearch.urls holds {} URLs, expected 1 to {}", settings.urls.size(),
                                limits::urls_max),
                    "name one or more of the cluster's nodes");
    for (std::size_t position = 0; position < settings.urls.size(); ++position)
        if (auto checked = check_url(settings.urls[position], position); !checked) return checked;
    if (!settings.user.empty() && !settings.api_key.empty())
        return fail(ErrorKind::invalid, "elasticsearch: both user and api_key_file are set",
                    "keep one of them");
    if (has_control_character(settings.api_key.reveal()) || has_control_character(settings.user) ||
        has_control_character(settings.password.reveal()))
        return fail(ErrorKind::invalid, "elasticsearch: user, password or API key holds a control character",
                    "the file must hold one line and nothing else");
    return {};
}

}  // namespace

std::unexpected<Error> abandoned() {
    return fail(ErrorKind::unavailable, "elasticsearch: the request was abandoned, its pipeline stops");
}

Result<std::unique_ptr<HttpClient>> HttpClient::make(const config::Elasticsearch& settings) {
    // Initialised once; libcurl counts, and is never cleaned up: threads of its resolver may still run.
    static const CURLcode initialised = curl_global_init(CURL_GLOBAL_DEFAULT);
    if (initialised != CURLE_OK)
        return fail(ErrorKind::unavailable,
                    fmt::format("libcurl does not start: {}", curl_easy_strerror(initialised)));
    if (auto checked = check_settings(settings); !checked) return std::unexpected(checked.error());
    return std::unique_ptr<HttpClient>(new HttpClient(std::make_unique<Thread>(settings)));
}

HttpClient::HttpClient(std::unique_ptr<Thread> thread) : thread_(std::move(thread)) {}
HttpClient::~HttpClient() = default;

const std::vector<std::string>& HttpClient::urls() const {
    return thread_->urls();
}

HttpSession::HttpSession(HttpClient& client) : client_(client), id_(client.thread_->open_session()) {}

void HttpSession::submit(HttpRequest request, HttpDone done) {
    PAWL_ASSERT(request.timeout_ms > 0 && request.answer_bytes_max > 0);
    PAWL_ASSERT(!request.url || *request.url < client_.urls().size());
    auto refused = client_.thread_->submit({id_, std::move(request), std::move(done)});
    if (refused) refused->done({abandoned(), std::move(refused->request.body)});
}

Result<HttpResponse> HttpSession::call(HttpRequest request) {
    std::promise<Result<HttpResponse>> promise;
    auto answer = promise.get_future();
    submit(std::move(request),
           [&promise](HttpResult result) { promise.set_value(std::move(result.response)); });
    return answer.get();
}

void HttpSession::close() {
    client_.thread_->close_session(id_);
}

std::string percent_encoded(std::string_view text) {
    std::string encoded;
    for (const char byte : text) {
        const bool is_plain = (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
                              (byte >= '0' && byte <= '9') || byte == '-' || byte == '.' || byte == '_' ||
                              byte == '~';
        if (is_plain)
            encoded += byte;
        else
            encoded += fmt::format("%{:02X}", static_cast<unsigned char>(byte));
    }
    return encoded;
}

}  // namespace pawl::index
