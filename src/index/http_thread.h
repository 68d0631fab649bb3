// The thread behind HttpClient: requests go in by submit(), curl's multi interface carries them, answers come
// out by the requests' `done`.
#pragma once

#include <condition_variable>
#include <deque>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "index/http.h"
#include "index/transfer.h"
#include "index/url_rotation.h"

namespace pawl::index {

// What the requests of a closed session are answered.
std::unexpected<Error> abandoned();

class HttpClient::Thread {
  public:
    struct Job {
        std::uint64_t session = 0;
        HttpRequest request;
        HttpDone done = {};
        TimeMs deadline = 0;  // set by submit
    };

    explicit Thread(const config::Elasticsearch& settings);
    ~Thread();

    const std::vector<std::string>& urls() const { return urls_; }
    std::uint64_t open_session();
    // Gives the job back when its session is closed.
    std::optional<Job> submit(Job job);
    // Returns when all jobs of the session are done. Idempotent.
    void close_session(std::uint64_t session);

  private:
    struct Active {
        Job job;
        std::unique_ptr<Transfer> transfer = {};
        std::vector<bool> tried;  // one for each URL
        std::size_t url = 0;
        bool seen_sent = false;  // for the crash point, which is hit once
    };
    using ActiveList = std::list<Active>;

    void run();
    bool take_orders();  // false: the thread is to end
    void abort(const std::set<std::uint64_t>& sessions);
    void expire_waiting();
    void start_waiting();
    bool begin_at_next_url(Active& active);
    void reap();
    void hit_when_sent();
    void finish(ActiveList::iterator active, CURLcode code);
    TimeMs sleep_ms() const;
    static void answer(Job& job, Result<HttpResponse> response);

    const config::Elasticsearch settings_;
    const std::vector<std::string> urls_;
    const Headers headers_;
    CURLM* const multi_;

    // Shared; guarded by mutex_.
    std::mutex mutex_;
    std::condition_variable closed_;
    std::uint64_t last_session_ = 0;
    std::set<std::uint64_t> open_;
    std::set<std::uint64_t> closing_;
    std::deque<Job> submitted_;
    bool ending_ = false;

    // The thread's own.
    UrlRotation rotation_;
    std::deque<Job> waiting_;
    ActiveList active_;
    std::vector<std::unique_ptr<Transfer>> idle_;

    std::thread thread_;  // last: it uses all of the above
};

}  // namespace pawl::index
