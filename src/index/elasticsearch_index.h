// The IndexPort of one pipeline over HTTP.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "config/config.h"
#include "engine/ports.h"
#include "index/answer.h"
#include "index/http.h"

namespace pawl::index {

// Bulks are encoded by the caller of send() (some 0.1 µs a document; compressed there too where the config
// says so), sent and judged on the client's thread, from which events are posted. prepare() and remember()
// run on a short thread of their own. A request's bytes are freed or used again as soon as its answer is in;
// the page is let go then too.
//
// Every request names its own timeout to the server too (`?timeout=`), so that the server does not carry out
// later what pawl has given up. Rows that were read longer ago than half of the index's gc_deletes are not
// sent: BulkFailed with `unavailable`. The engine does not ask for that, but between its look at the clock
// and the first byte the process may have been stopped, or the journal's disk may have hung.
class ElasticsearchIndex final : public engine::IndexPort {
  public:
    // All of them must outlive it.
    ElasticsearchIndex(HttpClient& client, const config::Elasticsearch& settings, const config::Index& index,
                       engine::Inbox& inbox);
    // Aborts what is under way; nothing is posted any more when this returns. Takes milliseconds.
    ~ElasticsearchIndex() override;

    void prepare() override;
    void send(engine::BulkRequest request) override;
    void remember(engine::Remembered remembered, const std::string& index_uuid) override;

  private:
    void find_target();
    HttpRequest http_request_for(const engine::BulkRequest& request);
    Result<void> start(std::function<void()> errand);
    void take_answer(const engine::BulkRequest& request, HttpResult result);
    engine::Event judge(const engine::BulkRequest& request, const Result<HttpResponse>& response);
    std::string take_buffer();
    void give_back(std::string buffer);

    const config::Elasticsearch& settings_;
    const config::Index& index_;
    engine::Inbox& inbox_;
    std::atomic<TimeMs> request_timeout_ms_;
    std::atomic<bool> is_ending_ = false;

    std::mutex buffers_mutex_;
    std::vector<std::string> buffers_;  // guarded by buffers_mutex_

    BulkAnswerReader reader_;  // the HTTP thread's
    HttpSession session_;
    std::thread errand_;  // prepare or remember: the engine asks for one at a time
};

}  // namespace pawl::index
