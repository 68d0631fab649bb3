#include "index/transfer.h"

#include <algorithm>

#include <fmt/core.h>

#include "base/assert.h"
#include "index/limits.h"

namespace pawl::index {
namespace {

constexpr std::array<const char*, 4> method_names{"GET", "PUT", "POST", "DELETE"};

template <class Value>
void set(CURL* handle, CURLoption option, Value value) {
    const CURLcode code = curl_easy_setopt(handle, option, value);
    PAWL_ASSERT(code == CURLE_OK);  // fails only where libcurl was built without the option
}

std::string advice_for(CURLcode code) {
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
            return "set elasticsearch.ca_file to the CA that signed the server's certificate, and use a host "
                   "name "
                   "that the certificate holds";
        case CURLE_SSL_CACERT_BADFILE:
            return "elasticsearch.ca_file must be a readable file of PEM certificates";
        case CURLE_SSL_CONNECT_ERROR:
            return "see whether the server speaks HTTPS at this URL";
        case CURLE_GOT_NOTHING:
            return "see whether the URL must begin with https://";
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_CONNECT:
            return "see whether the server runs and elasticsearch.urls is right";
        default:
            return {};
    }
}

}  // namespace

Headers::Headers(const config::Elasticsearch& settings) {
    constexpr std::array<const char*, 4> types{"Accept: application/json", "Content-Type: application/json",
                                               "Content-Type: application/x-ndjson",
                                               "Content-Type: application/x-ndjson"};
    const auto append = [](List& list, const char* line) {
        curl_slist* const longer = curl_slist_append(list.get(), line);
        PAWL_ASSERT(longer != nullptr);
        static_cast<void>(list.release());  // `longer` begins with it
        list.reset(longer);
    };
    for (std::size_t kind = 0; kind < lists_.size(); ++kind) {
        append(lists_[kind], types[kind]);
        // curl would wait for "100 Continue" before a large body.
        append(lists_[kind], "Expect:");
        if (!settings.api_key.empty())
            append(lists_[kind], ("Authorization: ApiKey " + settings.api_key.reveal()).c_str());
    }
    append(lists_.back(), "Content-Encoding: gzip");
}

curl_slist* Headers::of(const HttpRequest& request) const {
    if (request.method == Method::get) return lists_.front().get();
    return lists_[1 + static_cast<std::size_t>(request.body_type)].get();
}

Transfer::Transfer(const config::Elasticsearch& settings, const Headers& headers)
    : headers_(headers), handle_(curl_easy_init()) {
    PAWL_ASSERT(handle_ != nullptr);
    set(handle_, CURLOPT_PRIVATE, this);
    set(handle_, CURLOPT_NOSIGNAL, 1L);
    set(handle_, CURLOPT_ERRORBUFFER, error_text_.data());
    set(handle_, CURLOPT_PROTOCOLS_STR, "http,https");
    set(handle_, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
    set(handle_, CURLOPT_FOLLOWLOCATION, 0L);
    set(handle_, CURLOPT_PROXY, "");
    set(handle_, CURLOPT_DISALLOW_USERNAME_IN_URL, 1L);
    set(handle_, CURLOPT_TCP_NODELAY, 1L);
    set(handle_, CURLOPT_TCP_KEEPALIVE, 1L);
    set(handle_, CURLOPT_UPLOAD_BUFFERSIZE, static_cast<long>(limits::upload_buffer_bytes));
    set(handle_, CURLOPT_USERAGENT, "pawl");
    set(handle_, CURLOPT_WRITEFUNCTION, &Transfer::on_body);
    set(handle_, CURLOPT_WRITEDATA, this);
    set(handle_, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(settings.connect_timeout_ms));
    set(handle_, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
    if (!settings.ca_file.empty()) set(handle_, CURLOPT_CAINFO, settings.ca_file.c_str());
    if (!settings.user.empty()) {
        set(handle_, CURLOPT_HTTPAUTH, CURLAUTH_BASIC);
        set(handle_, CURLOPT_USERNAME, settings.user.c_str());
        set(handle_, CURLOPT_PASSWORD, settings.password.reveal().c_str());
    }
}

Transfer::~Transfer() {
    curl_easy_cleanup(handle_);
}

void Transfer::begin(const HttpRequest& request, const std::string& url, TimeMs time_left_ms) {
    PAWL_ASSERT(request.method != Method::get || request.body.empty());
    const char* const method = method_names[static_cast<std::size_t>(request.method)];
    where_ =
        fmt::format("{} {}{}", method, url, std::string_view(request.path).substr(0, request.path.find('?')));
    answer_.clear();
    answer_bytes_max_ = request.answer_bytes_max;
    answer_too_large_ = false;
    error_text_[0] = '\0';

    set(handle_, CURLOPT_URL, (url + request.path).c_str());
    set(handle_, CURLOPT_HTTPHEADER, headers_.of(request));
    set(handle_, CURLOPT_TIMEOUT_MS, static_cast<long>(std::max<TimeMs>(time_left_ms, 1)));
    if (request.method == Method::get) {
        set(handle_, CURLOPT_HTTPGET, 1L);
        set(handle_, CURLOPT_CUSTOMREQUEST, static_cast<const char*>(nullptr));
    } else {
        set(handle_, CURLOPT_POST, 1L);
        set(handle_, CURLOPT_CUSTOMREQUEST, method);
        // Not copied.
        set(handle_, CURLOPT_POSTFIELDS, request.body.data());
        set(handle_, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body.size()));
    }
}

Result<HttpResponse> Transfer::finish(CURLcode code) {
    if (answer_too_large_)
        return fail(ErrorKind::too_large,
                    fmt::format("{}: the answer is longer than {} bytes", where_, answer_bytes_max_));
    if (code != CURLE_OK) {
        const char* const text = error_text_[0] != '\0' ? error_text_.data() : curl_easy_strerror(code);
        // A server or network that is too slow for the request may manage a smaller one.
        const bool too_slow = code == CURLE_OPERATION_TIMEDOUT && !nothing_sent(code);
        return fail(too_slow ? ErrorKind::overloaded : ErrorKind::unavailable,
                    fmt::format("{}: {}", where_, text), advice_for(code));
    }
    long status = 0;
    curl_easy_getinfo(handle_, CURLINFO_RESPONSE_CODE, &status);
    return HttpResponse{static_cast<int>(status), std::move(answer_), where_};
}

bool Transfer::nothing_sent(CURLcode code) const {
    if (code == CURLE_OK) return false;
    curl_off_t until_sending_us = 0;
    curl_easy_getinfo(handle_, CURLINFO_PRETRANSFER_TIME_T, &until_sending_us);
    return until_sending_us == 0;
}

bool Transfer::body_sent(const HttpRequest& request) const {
    curl_off_t uploaded = 0;
    curl_easy_getinfo(handle_, CURLINFO_SIZE_UPLOAD_T, &uploaded);
    return !request.body.empty() && static_cast<std::size_t>(uploaded) >= request.body.size();
}

std::size_t Transfer::on_body(char* data, std::size_t size, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::size_t bytes = size * count;
    if (bytes > transfer.answer_bytes_max_ - transfer.answer_.size()) {
        transfer.answer_too_large_ = true;
        return CURL_WRITEFUNC_ERROR;
    }
    transfer.answer_.append(data, bytes);
    return bytes;
}

}  // namespace pawl::index
