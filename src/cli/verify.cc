#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <ostream>
#include <thread>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/time.h"
#include "cli/arguments.h"
#include "cli/verify_view.h"
#include "config/config.h"
#include "index/http.h"
#include "ops/log.h"
#include "ops/stop_signal.h"
#include "ops/verification.h"
#include "ops/verify_repair.h"

namespace pawl::cli {
namespace {

constexpr TimeMs progress_on_terminal_ms = 1'000;
constexpr TimeMs progress_in_log_ms = 10'000;

// On a terminal one line that is written over, else a line now and then.
class ProgressPrinter final : public ops::VerifyWatcher {
  public:
    ProgressPrinter(std::string pipeline, const ops::StopSignal& stop, Io& io)
        : pipeline_(std::move(pipeline)), stop_(stop), io_(io), is_terminal_(::isatty(STDERR_FILENO) == 1) {}
    ~ProgressPrinter() override { clear(); }
    ProgressPrinter(const ProgressPrinter&) = delete;
    ProgressPrinter& operator=(const ProgressPrinter&) = delete;

    bool goes_on(const ops::VerifyProgress& progress) override {
        const TimeMs now = clock_now();
        if (progress.stage != stage_ || progress.round != round_) {
            stage_ = progress.stage;
            round_ = progress.round;
            stage_began_ = now;
        }
        if (now < shown_ + (is_terminal_ ? progress_on_terminal_ms : progress_in_log_ms))
            return !stop_.asked();
        shown_ = now;
        clear();
        io_.err << progress_text(pipeline_, progress, now - stage_began_);
        is_line_open_ = is_terminal_;
        if (!is_terminal_) io_.err << '\n';
        io_.err.flush();
        return !stop_.asked();
    }

    bool wait(TimeMs span) override {
        std::this_thread::sleep_for(std::chrono::milliseconds(span));
        return !stop_.asked();
    }

  private:
    void clear() {
        if (is_line_open_) io_.err << "\r\033[K";
        is_line_open_ = false;
    }

    const std::string pipeline_;
    const ops::StopSignal& stop_;
    Io& io_;
    const bool is_terminal_;
    ops::VerifyStage stage_ = ops::VerifyStage::index;
    std::uint64_t round_ = 0;
    TimeMs stage_began_ = clock_now();
    TimeMs shown_ = clock_now();
    bool is_line_open_ = false;
};

struct VerifyWish {
    bool content = false;
    bool repair = false;
};

Result<ops::VerifyReport> verify_one(const ops::VerifyWorld& world, const VerifyWish& wish,
                                     ops::StopSignal& stop, ops::Log& log) {
    auto verification = ops::Verification::begin(world, wish.content);
    if (!verification) return std::unexpected(std::move(verification.error()));
    if (auto compared = verification->compare(); !compared)
        return std::unexpected(std::move(compared.error()));
    if (wish.repair)
        if (auto repaired = ops::repair(*verification, stop, log); !repaired)
            return std::unexpected(std::move(repaired.error()));
    return std::move(verification->report());
}

Result<std::vector<config::Pipeline>> chosen_pipelines(const config::Config& config,
                                                       const std::string& name) {
    if (name.empty()) return config.pipelines;
    const auto found = std::ranges::find(config.pipelines, name, &config::Pipeline::name);
    if (found != config.pipelines.end()) return std::vector{*found};
    std::vector<std::string> names;
    names.reserve(config.pipelines.size());
    for (const config::Pipeline& pipeline : config.pipelines)
        names.push_back(pipeline.name);
    return fail(ErrorKind::invalid, fmt::format("the config has no pipeline \"{}\"", name),
                fmt::format("one of: {}", fmt::join(names, ", ")));
}

Result<std::vector<Verified>> verify_all(const std::string& config_file, const std::string& pipeline_name,
                                         const VerifyWish& wish, Io& io) {
    const auto config = config::load(config_file);
    if (!config) return std::unexpected(config.error());
    const auto pipelines = chosen_pipelines(*config, pipeline_name);
    if (!pipelines) return std::unexpected(pipelines.error());
    ops::StopSignal stop;
    const auto http = index::HttpClient::make(config->elasticsearch);
    if (!http) return std::unexpected(http.error());
    index::HttpSession session(**http);
    source::Interrupt interrupt;
    ops::Log log(config->log);
    std::vector<Verified> all;
    for (const config::Pipeline& pipeline : *pipelines) {
        ProgressPrinter progress(pipeline.name, stop, io);
        const ops::VerifyWorld world{
            .config = *config,
            .pipeline = pipeline,
            .call = [&](index::HttpRequest request) { return session.call(std::move(request)); },
            .interrupt = interrupt,
            .watcher = progress};
        auto report = verify_one(world, wish, stop, log);
        Verified verified{.pipeline = pipeline.name};
        if (report)
            verified.report = std::move(*report);
        else
            verified.error = std::move(report.error());
        all.push_back(std::move(verified));
    }
    return all;
}

int run_verify(const Words& words, Io& io) {
    bool json = false;
    std::string config_file;
    std::string pipeline;
    VerifyWish wish;
    Arguments arguments(verify_command);
    arguments.config_file(config_file);
    arguments.option("--pipeline", "NAME", pipeline, "only this pipeline");
    arguments.flag("--content", wish.content,
                   "compare the documents too, not only their revisions (in outbox mode always)");
    arguments.flag("--repair", wish.repair, "heal what differs");
    arguments.flag("--json", json, "as JSON (docs/cli-json.md)");
    if (const auto code = arguments.parse(words, io)) return *code;
    const auto all = verify_all(config_file, pipeline, wish, io);
    if (!all) return report(io, all.error());
    io.out << (json ? verify_json(*all) : verify_text(*all, wish.repair));
    for (const Verified& verified : *all)
        if (verified.error) report(io, *verified.error);
    return exit_code_of(*all);
}

}  // namespace

const Command verify_command{"verify", "Prove that index and source agree, or find where they do not",
                             "pawl verify\n  pawl verify --content --pipeline lex\n  pawl verify --repair",
                             run_verify};

}  // namespace pawl::cli
