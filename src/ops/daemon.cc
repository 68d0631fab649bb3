#include "ops/daemon.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <random>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "engine/runner.h"
#include "index/elasticsearch_index.h"
#include "journal/writer.h"
#include "ops/event_queue.h"
#include "ops/feed_progress.h"
#include "ops/journal_opening.h"
#include "ops/limits.h"
#include "ops/notify.h"
#include "ops/operator_request.h"
#include "ops/verify_record.h"
#include "ops/verify_schedule.h"
#include "source/lease.h"
#include "source/mariadb_source.h"

namespace pawl::ops {
namespace {

class WriterPort final : public engine::JournalPort {
  public:
    explicit WriterPort(journal::Writer& writer) : writer_(writer) {}
    Result<void> commit(std::span<const journal::Change> changes) override { return writer_.commit(changes); }

  private:
    journal::Writer& writer_;
};

class Dice final : public engine::Random {
  public:
    std::uint64_t below(std::uint64_t bound) override {
        return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(generator_);
    }

  private:
    std::mt19937_64 generator_{std::random_device{}()};
};

// Logs what the pipelines say and keeps it for the report.
class LoggingObserver final : public engine::Observer {
  public:
    LoggingObserver(Log& log, std::vector<PipelineReport>& reports) : log_(log), reports_(reports) {}

    void notice(const std::string& pipeline, const engine::Notice& notice) override {
        log_.write(notice.severity, pipeline, notice.text, notice.advice);
    }
    void recovered(const std::string& pipeline, const engine::ReportRecovery& report) override {
        for (const engine::RecoveryStep& step : report.steps) {
            const std::string what =
                step.batch == 0 ? std::string("start") : fmt::format("batch {}/{}", pipeline, step.batch);
            log_.write(engine::Severity::info, pipeline,
                       fmt::format("{} {}: {}", step.row->label, what, step.row->explanation));
            report_of(pipeline).recovery.push_back(step);
            if (step.row->decision == engine::Decision::adopt) adopted_.push_back(pipeline);
        }
    }
    // Whose index was adopted since the call before.
    std::vector<std::string> adopted() { return std::exchange(adopted_, {}); }
    void finished(const std::string& pipeline, const engine::Finish& finish) override {
        report_of(pipeline).error = finish.error;
        if (finish.error) log_.write(pipeline, *finish.error);
    }

  private:
    PipelineReport& report_of(const std::string& pipeline) {
        return *std::find_if(reports_.begin(), reports_.end(),
                             [&](const PipelineReport& report) { return report.name == pipeline; });
    }

    Log& log_;
    std::vector<PipelineReport>& reports_;
    std::vector<std::string> adopted_;
};

// `sync`, `recover` and `rebuild` come to an end: they must not wait for a pipeline that they may not have.
std::size_t leases_max(const config::Config& config, const DaemonOptions& options) {
    const bool is_limited = options.until == engine::Until::stopped && config.lease.pipelines_max > 0;
    return is_limited ? config.lease.pipelines_max : config.pipelines.size();
}

engine::Event event_of(OperatorRequest request) {
    switch (request.ask) {
        case OperatorRequest::Ask::retry_quarantine:
            return engine::RetryAsked{std::move(request.entities)};
        case OperatorRequest::Ask::drop_quarantine:
            return engine::DropAsked{std::move(request.entities)};
        case OperatorRequest::Ask::repair:
            return engine::RepairAsked{std::move(request.revisions)};
    }
    PAWL_ASSERT(!"a closed list");
    return engine::RetryAsked{};
}

// All that one pipeline needs around its engine.
struct Parts {
    Parts(const config::Config& config, const config::Pipeline& pipeline, index::HttpClient& http,
          source::LeaseBudget& budget, EventQueue& queue, std::size_t number)
        : inbox(queue, number),
          source(config.mariadb, pipeline, inbox, &term),
          index(http, config.elasticsearch, pipeline.index, inbox),
          lease(config.mariadb, pipeline, budget, inbox, &term) {}
    PipelineInbox inbox;
    engine::LeaseTerm term;
    source::MariaDbSource source;
    index::ElasticsearchIndex index;
    source::MariaDbLease lease;
};

class Daemon {
  public:
    Daemon(const config::Config& config, const DaemonOptions& options, Log& log, journal::Writer& writer,
           index::HttpClient& http, EventQueue& queue)
        : config_(config),
          options_(options),
          log_(log),
          queue_(queue),
          http_(http),
          budget_(leases_max(config, options)),
          journal_(writer),
          observer_(log, report_.pipelines),
          runner_(journal_, observer_, dice_, clock_now) {
        report_.pipelines.reserve(config.pipelines.size());
        for (const config::Pipeline& pipeline : config.pipelines) {
            parts_.push_back(std::make_unique<Parts>(config, pipeline, http, budget_, queue, parts_.size()));
            report_.pipelines.push_back({.name = pipeline.name, .recovery = {}, .error = {}});
            progress_.emplace_back(options.doing, [this, &pipeline](const std::string& text) {
                log_.write(engine::Severity::info, pipeline.name, text);
            });
        }
    }

    // Once.
    Result<DaemonReport> run(std::vector<journal::PipelineSnapshot> known, const StopSignal& stop);

  private:
    void add_pipelines(std::vector<journal::PipelineSnapshot> known);
    Result<void> loop(const StopSignal& stop);
    void ask_to_stop(std::vector<engine::Happened>& events) const;
    // Gives the files of what is now among the events.
    std::vector<std::filesystem::path> take_operator_requests(std::vector<engine::Happened>& events);
    void note_adoptions();
    void tell_progress();
    void complete_report();

    const config::Config& config_;
    const DaemonOptions& options_;
    Log& log_;
    EventQueue& queue_;
    index::HttpClient& http_;
    source::LeaseBudget budget_;
    WriterPort journal_;
    Dice dice_;
    DaemonReport report_;
    LoggingObserver observer_;
    engine::Runner runner_;
    TimeMs requests_looked_at_ = 0;
    TimeMs progress_looked_at_ = 0;
    std::vector<FeedProgress> progress_;         // of each pipeline
    std::vector<std::unique_ptr<Parts>> parts_;  // one per pipeline, in the config's order, like the runner's
};

Result<DaemonReport> Daemon::run(std::vector<journal::PipelineSnapshot> known, const StopSignal& stop) {
    add_pipelines(std::move(known));
    std::optional<VerifySchedule> verifications;
    if (options_.until == engine::Until::stopped) verifications.emplace(config_, http_, log_);
    notify("READY=1");
    const auto ended = loop(stop);
    verifications.reset();
    notify("STOPPING=1");
    parts_.clear();  // aborts what is under way; nobody posts any more
    if (!ended) return std::unexpected(ended.error());
    report_.stopped_by_signal = stop.asked();
    complete_report();
    return std::move(report_);
}

void Daemon::add_pipelines(std::vector<journal::PipelineSnapshot> known) {
    for (std::size_t number = 0; number < config_.pipelines.size(); ++number) {
        const config::Pipeline& settings = config_.pipelines[number];
        const auto found =
            std::find_if(known.begin(), known.end(), [&](const journal::PipelineSnapshot& snapshot) {
                return snapshot.pipeline.name == settings.name;
            });
        std::optional<journal::PipelineSnapshot> snapshot;
        if (found != known.end()) snapshot = std::move(*found);
        engine::Pipeline pipeline({.name = settings.name,
                                   .source = config::identity_of_source(config_.mariadb, settings),
                                   .limits = settings.limits,
                                   .entities = config::entities_of(settings),
                                   .until = options_.until},
                                  std::move(snapshot));
        runner_.add(std::move(pipeline), parts_[number]->source, parts_[number]->index,
                    parts_[number]->lease);
        queue_.post({number, engine::Begin{}});
    }
}

Result<void> Daemon::loop(const StopSignal& stop) {
    std::optional<TimeMs> stop_deadline;
    while (!runner_.finished()) {
        TimeMs wake_at = std::min(runner_.next_due().value_or(INT64_MAX), clock_now() + limits::loop_wait_ms);
        if (stop_deadline) wake_at = std::min(wake_at, *stop_deadline);
        std::vector<engine::Happened> events = queue_.take(wake_at);
        if (stop.asked() && !stop_deadline) {
            stop_deadline = clock_now() + limits::stop_grace_ms;
            log_.write(engine::Severity::info, "", "stopping");
            ask_to_stop(events);
        }
        const auto taken = take_operator_requests(events);
        if (auto handled = runner_.handle(std::move(events)); !handled) return handled;
        remove_requests(taken);
        note_adoptions();
        tell_progress();
        if (stop_deadline && clock_now() >= *stop_deadline)
            break;  // what is under way is INTENT in the journal
    }
    return {};
}

void Daemon::ask_to_stop(std::vector<engine::Happened>& events) const {
    for (std::size_t number = 0; number < runner_.size(); ++number)
        events.push_back({number, engine::StopAsked{}});
}

std::vector<std::filesystem::path> Daemon::take_operator_requests(std::vector<engine::Happened>& events) {
    std::vector<std::filesystem::path> files;
    if (clock_now() < requests_looked_at_ + limits::loop_wait_ms) return files;
    requests_looked_at_ = clock_now();
    std::vector<Error> problems;
    for (OperatorRequest& request : waiting_requests(config_.journal.path, problems)) {
        files.push_back(std::move(request.file));
        const auto found =
            std::find_if(config_.pipelines.begin(), config_.pipelines.end(),
                         [&](const config::Pipeline& pipeline) { return pipeline.name == request.pipeline; });
        if (found == config_.pipelines.end()) {
            log_.write(engine::Severity::warning, request.pipeline,
                       "an operator asked for a pipeline that is not in the config", "see: pawl status");
            continue;
        }
        const auto number = static_cast<std::size_t>(found - config_.pipelines.begin());
        events.push_back({number, event_of(std::move(request))});
    }
    for (const Error& problem : problems)
        log_.write("", problem);
    return files;
}

// How many of its documents the history does not know is told once all rows that were there are in the index.
void Daemon::note_adoptions() {
    for (const std::string& name : observer_.adopted())
        for (std::size_t number = 0; number < runner_.size(); ++number)
            if (const engine::Pipeline& pipeline = runner_.pipeline(number); pipeline.name() == name)
                if (auto noted = note_adoption(config_.journal.path, name, pipeline.history_end()); !noted)
                    log_.write(name, noted.error());
}

void Daemon::tell_progress() {
    const TimeMs now = clock_now();
    if (now < progress_looked_at_ + limits::progress_look_interval_ms) return;
    progress_looked_at_ = now;
    for (std::size_t number = 0; number < runner_.size(); ++number) {
        const engine::Pipeline& pipeline = runner_.pipeline(number);
        const journal::Pipeline& known = pipeline.ledger().pipeline();
        if (known.fill)
            progress_[number].look({known.fill->rows, pipeline.rows_estimate(), FeedProgress::Of::rows}, now);
        else
            progress_[number].look({known.high, pipeline.history_end()}, now);
    }
}

void Daemon::complete_report() {
    for (std::size_t number = 0; number < runner_.size(); ++number) {
        const engine::Ledger& ledger = runner_.pipeline(number).ledger();
        PipelineReport& report = report_.pipelines[number];
        report.high = ledger.pipeline().high;
        report.watermark = ledger.pipeline().watermark;
        report.open_batches = ledger.open_batches().size();
        for (const auto& gap : ledger.gaps().intervals())
            report.missing_revisions += gap.last - gap.first + 1;
        report.quarantined = ledger.quarantine().size();
        report.filled = runner_.pipeline(number).filled();
    }
}

}  // namespace

Result<DaemonReport> run_daemon(const config::Config& config, const DaemonOptions& options, StopSignal& stop,
                                Log& log) {
    EventQueue queue;
    const StopSignal::Waker waker(stop, [&queue] { queue.wake(); });
    auto journal = open_journal(config.journal, options.discard_journal, log);
    if (!journal) return std::unexpected(journal.error());
    auto known = journal->writer.read();
    if (!known) return std::unexpected(known.error());
    auto http = index::HttpClient::make(config.elasticsearch);
    if (!http) return std::unexpected(http.error());
    auto report = Daemon(config, options, log, journal->writer, **http, queue).run(std::move(*known), stop);
    if (report) report->discarded_journal = std::move(journal->set_aside);
    return report;
}

}  // namespace pawl::ops
