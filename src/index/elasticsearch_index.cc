#include "index/elasticsearch_index.h"

#include <chrono>
#include <system_error>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/failpoint.h"
#include "engine/limits.h"
#include "index/bulk.h"
#include "index/checkpoint.h"
#include "index/gzip.h"
#include "index/limits.h"
#include "index/target.h"

namespace pawl::index {
namespace {

TimeMs wall_clock_now() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

}  // namespace

ElasticsearchIndex::ElasticsearchIndex(HttpClient& client, const config::Elasticsearch& settings,
                                       const config::Index& index, engine::Inbox& inbox)
    : settings_(settings),
      index_(index),
      inbox_(inbox),
      request_timeout_ms_(request_timeout_for(settings.request_timeout_ms, limits::gc_deletes_default_ms)),
      session_(client) {}

ElasticsearchIndex::~ElasticsearchIndex() {
    is_ending_ = true;
    session_.close();
    if (errand_.joinable()) errand_.join();
}

void ElasticsearchIndex::prepare() {
    if (auto started = start([this] { find_target(); }); !started)
        inbox_.post(engine::TargetFailed{started.error()});
}

void ElasticsearchIndex::find_target() {
    const Call call = [this](HttpRequest request) { return session_.call(std::move(request)); };
    auto facts = prepare_target(call, index_, wall_clock_now());
    if (is_ending_) return;
    if (!facts) {
        inbox_.post(engine::TargetFailed{std::move(facts.error()).within("index of alias " + index_.alias)});
        return;
    }
    request_timeout_ms_ = request_timeout_for(settings_.request_timeout_ms, facts->gc_deletes_ms);
    inbox_.post(engine::TargetReady{std::move(*facts)});
}

void ElasticsearchIndex::send(engine::BulkRequest request) {
    PAWL_ASSERT(!request.actions.empty());
    auto http_request = http_request_for(request);
    session_.submit(std::move(http_request), [this, request = std::move(request)](HttpResult result) {
        take_answer(request, std::move(result));
    });
}

void ElasticsearchIndex::remember(engine::Remembered remembered, const std::string& index_uuid) {
    const auto write = [this, remembered = std::move(remembered), index_uuid] {
        const Call call = [this](HttpRequest request) { return session_.call(std::move(request)); };
        const auto written = write_checkpoint(call, index_.alias, index_uuid, remembered);
        if (is_ending_) return;
        if (written)
            inbox_.post(engine::CheckpointWritten{});
        else
            inbox_.post(
                engine::CheckpointFailed{Error(written.error()).within("index of alias " + index_.alias)});
    };
    if (auto started = start(write); !started) inbox_.post(engine::CheckpointFailed{started.error()});
}

// The one before has posted its answer, so this does not wait.
Result<void> ElasticsearchIndex::start(std::function<void()> errand) {
    if (errand_.joinable()) errand_.join();
    try {
        errand_ = std::thread(std::move(errand));
    } catch (const std::system_error& error) {
        return fail(ErrorKind::unavailable, fmt::format("no thread can be started: {}", error.what()));
    }
    return {};
}

HttpRequest ElasticsearchIndex::http_request_for(const engine::BulkRequest& request) {
    const TimeMs timeout_ms = request_timeout_ms_;
    HttpRequest http_request{
        .method = Method::post,
        .path = fmt::format("/{}/_bulk?require_alias=true&timeout={}ms&filter_path={}",
                            percent_encoded(index_.alias), timeout_ms, bulk_filter_path),
        .body = take_buffer(),
        .body_type = BodyType::ndjson,
        .timeout_ms = timeout_ms,
        .answer_bytes_max = limits::bulk_answer_bytes_max,
        .begin_before = request.begin_before,
    };
    encode_bulk(request.actions, http_request.body);
    if (!settings_.gzip) return http_request;

    std::string compressed = take_buffer();
    // What cannot be compressed is sent as it is.
    if (gzip(http_request.body, compressed)) {
        std::swap(http_request.body, compressed);
        http_request.body_type = BodyType::ndjson_gzip;
    }
    give_back(std::move(compressed));
    return http_request;
}

void ElasticsearchIndex::take_answer(const engine::BulkRequest& request, HttpResult result) {
    give_back(std::move(result.request_body));
    if (is_ending_) return;
    failpoint::at("before:judge_answer");
    engine::Event event = judge(request, result.response);
    failpoint::at("after:judge_answer");
    inbox_.post(std::move(event));
}

engine::Event ElasticsearchIndex::judge(const engine::BulkRequest& request,
                                        const Result<HttpResponse>& response) {
    if (!response) return engine::BulkFailed{request.id, response.error()};
    if (response->status < 200 || response->status > 299)
        return engine::BulkFailed{request.id,
                                  error_of_status(response->where, response->status, response->body)};
    auto items = reader_.read(response->body, request.actions, request.index);
    if (!items) return engine::BulkFailed{request.id, std::move(items.error()).within(response->where)};
    return engine::BulkAnswered{request.id, std::move(*items)};
}

std::string ElasticsearchIndex::take_buffer() {
    const std::lock_guard lock(buffers_mutex_);
    if (buffers_.empty()) return {};
    std::string buffer = std::move(buffers_.back());
    buffers_.pop_back();
    return buffer;
}

void ElasticsearchIndex::give_back(std::string buffer) {
    if (buffer.capacity() > limits::kept_buffer_bytes_max) return;
    const std::lock_guard lock(buffers_mutex_);
    if (buffers_.size() < limits::kept_buffers_max) buffers_.push_back(std::move(buffer));
}

}  // namespace pawl::index
