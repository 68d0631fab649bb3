// How fast can it be at all? Posts bulk requests that were made beforehand and does nothing else: no history,
// no encoding, no journal. What pawl reaches is compared with this.
//
// It is the same HTTP code, URL, batch limits and number of requests in flight as pawl's own, answers are
// read as pawl reads them, and the index is made by pawl's code too. Prints one line of JSON.
#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <fstream>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/core.h>

#include "engine/limits.h"
#include "index/answer.h"
#include "index/http.h"
#include "index/limits.h"
#include "index/target.h"

namespace pawl::bench {
namespace {

constexpr std::string_view usage_text =
    "Usage: bench_ceiling URL ALIAS CREATE NDJSON\n\n"
    "CREATE is a file as of pipeline.index.create; there must be no index yet. NDJSON is a file of index "
    "actions\n"
    "and their documents, two lines each.\n";

struct Bulk {
    std::string body;
    std::vector<engine::Row> actions;  // only their kind is looked at, by the reader of answers
};

// Cuts the file as pawl cuts the history: so many rows, or the row that passes so many bytes of documents.
Result<std::vector<Bulk>> read_bulks(const char* path) {
    constexpr engine::Limits limits;
    std::ifstream file(path, std::ios::binary);
    std::vector<Bulk> bulks;
    std::string action;
    std::string document;
    std::uint64_t document_bytes = 0;
    bool is_full = true;
    while (std::getline(file, action) && std::getline(file, document)) {
        if (is_full) {
            bulks.emplace_back();
            document_bytes = 0;
        }
        Bulk& bulk = bulks.back();
        bulk.body.append(action).append("\n").append(document).append("\n");
        bulk.actions.push_back({});
        document_bytes += document.size();
        is_full = bulk.actions.size() == limits.batch_rows_max || document_bytes > limits.batch_bytes_max;
    }
    if (bulks.empty() || !file.eof())
        return fail(ErrorKind::invalid, fmt::format("{}: cannot be read, or holds no actions", path));
    return bulks;
}

// Keeps so many requests in flight as pawl does.
class Poster {
  public:
    Poster(index::HttpClient& client, std::string path, std::string index, TimeMs timeout_ms)
        : path_(std::move(path)), index_(std::move(index)), timeout_ms_(timeout_ms), session_(client) {}

    // Returns when all are answered. The first trouble ends it.
    Result<void> post(std::span<Bulk> bulks) {
        for (Bulk& bulk : bulks) {
            wait_until([this] { return in_flight_ < engine::Limits{}.requests_in_flight_max || trouble_; });
            if (trouble_) break;
            submit(bulk);
        }
        wait_until([this] { return in_flight_ == 0; });
        if (trouble_) return std::unexpected(*trouble_);
        return {};
    }

  private:
    void submit(Bulk& bulk) {
        {
            const std::lock_guard lock(mutex_);
            ++in_flight_;
        }
        index::HttpRequest request{
            .method = index::Method::post,
            .path = path_,
            .body = std::move(bulk.body),
            .body_type = index::BodyType::ndjson,
            .timeout_ms = timeout_ms_,
            .answer_bytes_max = index::limits::bulk_answer_bytes_max,
        };
        session_.submit(std::move(request), [this, &bulk](index::HttpResult result) {
            bulk.body = std::move(result.request_body);  // freeing it would be counted
            answered(judge(bulk, result.response));
        });
    }

    // Nothing but success is expected of a server that does nothing else.
    std::optional<Error> judge(const Bulk& bulk, const Result<index::HttpResponse>& response) {
        if (!response) return response.error();
        if (response->status != 200)
            return index::error_of_status(response->where, response->status, response->body);
        const auto items = reader_.read(response->body, bulk.actions, index_);
        if (!items) return items.error();
        for (const auto& item : *items)
            if (item.status != engine::ItemStatus::done)
                return Error{ErrorKind::rejected,
                             fmt::format("{}: {}: {}", response->where, item.error, item.reason)};
        return std::nullopt;
    }

    void answered(std::optional<Error> trouble) {
        const std::lock_guard lock(mutex_);
        --in_flight_;
        if (trouble && !trouble_) trouble_ = std::move(trouble);
        changed_.notify_one();
    }

    void wait_until(auto condition) {
        std::unique_lock lock(mutex_);
        changed_.wait(lock, condition);
    }

    const std::string path_;
    const std::string index_;  // that is to take it
    const TimeMs timeout_ms_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::uint32_t in_flight_ = 0;     // guarded by mutex_
    std::optional<Error> trouble_;    // the same
    index::BulkAnswerReader reader_;  // the HTTP thread's
    index::HttpSession session_;      // last: its answers use all of the above
};

double cpu_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double wall_seconds() {
    using namespace std::chrono;
    return duration<double>(steady_clock::now().time_since_epoch()).count();
}

// Gives its name.
Result<std::string> make_index(index::HttpClient& client, const config::Index& index) {
    using namespace std::chrono;
    index::HttpSession session(client);
    const auto call = [&](index::HttpRequest request) { return session.call(std::move(request)); };
    const TimeMs now = duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
    const auto facts = index::prepare_target(call, index, now);
    if (!facts) return std::unexpected(facts.error());
    if (!facts->created)
        return fail(ErrorKind::invalid, fmt::format("there is an index behind {} already", index.alias));
    return facts->identity.index;
}

Result<void> post(const config::Elasticsearch& settings, const config::Index& index, std::span<Bulk> bulks) {
    auto client = index::HttpClient::make(settings);
    if (!client) return std::unexpected(client.error());
    auto made = make_index(**client, index);
    if (!made) return std::unexpected(made.error());
    const std::string path = fmt::format("/{}/_bulk?require_alias=true&timeout={}ms&filter_path={}",
                                         index::percent_encoded(index.alias), settings.request_timeout_ms,
                                         index::bulk_filter_path);
    return Poster(**client, path, std::move(*made), settings.request_timeout_ms).post(bulks);
}

Result<void> run(const char* url, const char* alias, const char* create, const char* ndjson) {
    config::Elasticsearch settings;
    settings.urls = {url};
    config::Index index{.alias = alias, .create = create, .create_body = {}};
    std::getline(std::ifstream(create), index.create_body, '\0');
    auto bulks = read_bulks(ndjson);
    if (!bulks) return std::unexpected(bulks.error());
    std::size_t documents = 0;
    for (const Bulk& bulk : *bulks)
        documents += bulk.actions.size();

    const double wall_before = wall_seconds();
    const double cpu_before = cpu_seconds();
    if (auto posted = post(settings, index, *bulks); !posted) return posted;
    const double wall = wall_seconds() - wall_before;
    const double cpu = cpu_seconds() - cpu_before;
    fmt::print("{{\"documents\":{},\"requests\":{},\"wall_seconds\":{:.6f},\"cpu_seconds\":{:.6f}}}\n",
               documents, bulks->size(), wall, cpu);
    return {};
}

}  // namespace
}  // namespace pawl::bench

int main(int count, char** words) {
    if (count != 5) {
        fmt::print(stderr, "{}", pawl::bench::usage_text);
        return 2;
    }
    if (auto done = pawl::bench::run(words[1], words[2], words[3], words[4]); !done) {
        fmt::print(stderr, "bench_ceiling: {}\n", pawl::to_line(done.error()));
        return pawl::exit_code_of(done.error().kind);
    }
    return 0;
}
