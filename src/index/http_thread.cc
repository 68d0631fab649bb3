#include "index/http_thread.h"

#include <pthread.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "index/limits.h"

namespace pawl::index {
namespace {

TimeMs steady_now() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(steady_clock::now().time_since_epoch()).count();
}

// The thread must not be where a signal of the process is handled, nor die of a closed TLS connection's
// SIGPIPE.
std::thread start_without_signals(auto&& body) {
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::thread thread(std::forward<decltype(body)>(body));
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return thread;
}

std::unexpected<Error> waited_too_long() {
    return fail(ErrorKind::unavailable, "elasticsearch: a request waited too long before it could be sent");
}

bool is_too_late(const HttpRequest& request) {
    return request.begin_before && clock_now() >= *request.begin_before;
}

std::vector<std::string> without_slash_at_end(std::vector<std::string> urls) {
    for (auto& url : urls)
        while (url.ends_with('/'))
            url.pop_back();
    return urls;
}

// Answers that come from the server but say that it is (or what is behind it) not able to answer.
bool is_gateway_trouble(int status) {
    return status >= 502 && status <= 504;
}

}  // namespace

HttpClient::Thread::Thread(const config::Elasticsearch& settings)
    : settings_(settings),
      urls_(without_slash_at_end(settings.urls)),
      headers_(settings_),
      multi_(curl_multi_init()),
      rotation_(urls_.size()) {
    PAWL_ASSERT(multi_ != nullptr);
    curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, static_cast<long>(limits::connections_max));
    thread_ = start_without_signals([this] { run(); });
}

HttpClient::Thread::~Thread() {
    {
        const std::lock_guard lock(mutex_);
        PAWL_ASSERT(open_.empty());
        ending_ = true;
    }
    curl_multi_wakeup(multi_);
    thread_.join();
    idle_.clear();
    curl_multi_cleanup(multi_);
}

std::uint64_t HttpClient::Thread::open_session() {
    const std::lock_guard lock(mutex_);
    open_.insert(++last_session_);
    return last_session_;
}

std::optional<HttpClient::Thread::Job> HttpClient::Thread::submit(Job job) {
    PAWL_ASSERT(std::this_thread::get_id() != thread_.get_id());
    job.deadline = steady_now() + job.request.timeout_ms;
    {
        const std::lock_guard lock(mutex_);
        if (!open_.contains(job.session) || closing_.contains(job.session)) return job;
        submitted_.push_back(std::move(job));
    }
    curl_multi_wakeup(multi_);
    return {};
}

void HttpClient::Thread::close_session(std::uint64_t session) {
    PAWL_ASSERT(std::this_thread::get_id() != thread_.get_id());
    std::unique_lock lock(mutex_);
    if (!open_.contains(session)) return;
    closing_.insert(session);
    curl_multi_wakeup(multi_);
    closed_.wait(lock, [&] { return !open_.contains(session); });
}

void HttpClient::Thread::run() {
    while (take_orders()) {
        expire_waiting();
        start_waiting();
        int running = 0;
        curl_multi_perform(multi_, &running);
        hit_when_sent();
        reap();
        // A place that became free is filled at once.
        if (!waiting_.empty() && active_.size() < limits::connections_max) continue;
        curl_multi_poll(multi_, nullptr, 0, static_cast<int>(sleep_ms()), nullptr);
    }
}

bool HttpClient::Thread::take_orders() {
    std::set<std::uint64_t> closing;
    {
        const std::lock_guard lock(mutex_);
        if (ending_) return false;
        std::move(submitted_.begin(), submitted_.end(), std::back_inserter(waiting_));
        submitted_.clear();
        closing = closing_;
    }
    if (closing.empty()) return true;
    abort(closing);
    const std::lock_guard lock(mutex_);
    for (const auto session : closing) {
        closing_.erase(session);
        open_.erase(session);
    }
    closed_.notify_all();
    return true;
}

void HttpClient::Thread::abort(const std::set<std::uint64_t>& sessions) {
    for (auto active = active_.begin(); active != active_.end();) {
        const auto next = std::next(active);
        if (sessions.contains(active->job.session)) {
            // Taking the handle out closes its connection: the exchange on it is unfinished.
            curl_multi_remove_handle(multi_, active->transfer->handle());
            answer(active->job, abandoned());
            active_.erase(active);
        }
        active = next;
    }
    for (auto& job : waiting_)
        if (sessions.contains(job.session)) answer(job, abandoned());
    std::erase_if(waiting_, [&](const Job& job) { return sessions.contains(job.session); });
}

void HttpClient::Thread::expire_waiting() {
    const TimeMs now = steady_now();
    for (auto& job : waiting_)
        if (now >= job.deadline) answer(job, waited_too_long());
    std::erase_if(waiting_, [now](const Job& job) { return now >= job.deadline; });
}

void HttpClient::Thread::start_waiting() {
    while (!waiting_.empty() && active_.size() < limits::connections_max) {
        Active next{.job = std::move(waiting_.front()), .tried = std::vector<bool>(urls_.size())};
        waiting_.pop_front();
        if (idle_.empty()) {
            next.transfer = std::make_unique<Transfer>(settings_, headers_);
        } else {
            next.transfer = std::move(idle_.back());
            idle_.pop_back();
        }
        active_.push_back(std::move(next));
        if (!begin_at_next_url(active_.back())) {
            answer(active_.back().job, waited_too_long());
            active_.pop_back();
        }
    }
}

// False: all URLs were tried, or the time is over.
bool HttpClient::Thread::begin_at_next_url(Active& active) {
    const TimeMs now = steady_now();
    const HttpRequest& request = active.job.request;
    if (now >= active.job.deadline || is_too_late(request)) return false;
    std::optional<std::size_t> url;
    if (!request.url)
        url = rotation_.pick(active.tried, now);
    else if (!active.tried[*request.url])
        url = request.url;
    if (!url) return false;
    active.url = *url;
    active.tried[*url] = true;
    active.transfer->begin(request, urls_[*url], active.job.deadline - now);
    failpoint::at("before:send_request");
    const CURLMcode code = curl_multi_add_handle(multi_, active.transfer->handle());
    PAWL_ASSERT(code == CURLM_OK);
    return true;
}

// curl does not tell when a request is out, so it is asked after each step.
void HttpClient::Thread::hit_when_sent() {
    if constexpr (!failpoint::compiled_in) return;
    for (Active& active : active_) {
        if (active.seen_sent || !active.transfer->body_sent(active.job.request)) continue;
        active.seen_sent = true;
        failpoint::at("after:send_request");
    }
}

void HttpClient::Thread::reap() {
    int left = 0;
    while (const CURLMsg* const message = curl_multi_info_read(multi_, &left)) {
        if (message->msg != CURLMSG_DONE) continue;
        CURL* const handle = message->easy_handle;
        const CURLcode code = message->data.result;
        const auto active = std::find_if(active_.begin(), active_.end(), [handle](const Active& candidate) {
            return candidate.transfer->handle() == handle;
        });
        PAWL_ASSERT(active != active_.end());
        curl_multi_remove_handle(multi_, handle);
        finish(active, code);
    }
}

void HttpClient::Thread::finish(ActiveList::iterator active, CURLcode code) {
    const bool may_ask_another = active->transfer->nothing_sent(code);
    auto response = active->transfer->finish(code);
    // A too long answer is no fault of the URL.
    const bool url_failed =
        response ? is_gateway_trouble(response->status) : response.error().kind == ErrorKind::unavailable;
    if (url_failed)
        rotation_.failed(active->url, steady_now());
    else
        rotation_.succeeded(active->url);
    if (may_ask_another && begin_at_next_url(*active)) return;
    idle_.push_back(std::move(active->transfer));
    answer(active->job, std::move(response));
    active_.erase(active);
}

TimeMs HttpClient::Thread::sleep_ms() const {
    TimeMs sleep = limits::poll_ms;
    const TimeMs now = steady_now();
    for (const auto& job : waiting_)
        sleep = std::clamp<TimeMs>(job.deadline - now, 0, sleep);
    return sleep;
}

void HttpClient::Thread::answer(Job& job, Result<HttpResponse> response) {
    job.done({std::move(response), std::move(job.request.body)});
}

}  // namespace pawl::index
