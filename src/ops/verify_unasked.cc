#include "ops/verify_unasked.h"

#include <utility>

#include <fmt/core.h>

#include "base/time.h"
#include "index/http.h"
#include "journal/reader.h"
#include "ops/until_stopped.h"
#include "ops/verify_record.h"
#include "source/interrupt.h"

namespace pawl::ops {
namespace {

void tell(const VerifyReport& report, bool is_adopted, Log& log) {
    const char* const what = is_adopted ? "adopted and verified" : "verified";
    if (report.equal()) {
        log.write(Severity::info, report.pipeline,
                  fmt::format("{}: index {} and {} are equal at revision {}, {} documents; {} in "
                              "quarantine, {} not judged",
                              what, report.index, source_word(report), report.revision, report.documents,
                              report.quarantined, report.unsettled));
        return;
    }
    log.write(Severity::warning, report.pipeline,
              fmt::format("{}: index {} and {} DIFFER at revision {}: {}; the first is {}; {} documents, "
                          "{} living entities",
                          what, report.index, source_word(report), report.revision, counts_text(report),
                          report.differences.front().entity, report.documents, report.entities),
              fmt::format("pawl verify --pipeline {} lists them, --repair heals", report.pipeline));
}

}  // namespace

bool is_adoption_due(const config::Config& config, const config::Pipeline& pipeline) {
    const auto through = noted_adoption(config.journal.path, pipeline.name);
    if (!through) return false;
    const auto contents = journal::read_journal(config.journal.path);
    const auto* const known = contents ? contents->find(pipeline.name) : nullptr;
    return known != nullptr && known->pipeline.watermark >= *through;
}

void verify_unasked(const VerifyWorld& world, Log& log) {
    const std::string& name = world.pipeline.name;
    const auto& journal = world.config.journal.path;
    auto verification = Verification::begin(world, false);
    const auto done =
        verification ? verification->compare() : Result<void>(std::unexpected(verification.error()));
    if (!world.watcher.wait(0)) return;  // what failed did so because it is being ended
    if (done)
        tell(verification->report(), noted_adoption(journal, name).has_value(), log);
    else
        log.write(Severity::warning, name, "could not be verified: " + done.error().message,
                  done.error().advice);
    const auto record = done ? record_of(verification->report(), clock_now())
                             : VerifyRecord{.at = clock_now(), .error = done.error().message};
    if (const auto kept = keep_record(journal, name, record); !kept) log.write(name, kept.error());
    forget_adoption(journal, name);
}

void verify_adopted(const config::Config& config, const StopSignal& stop, Log& log) {
    for (const config::Pipeline& pipeline : config.pipelines) {
        if (stop.asked() || !is_adoption_due(config, pipeline)) continue;
        const auto http = index::HttpClient::make(config.elasticsearch);
        if (!http) return log.write(pipeline.name, http.error());
        index::HttpSession session(**http);
        source::Interrupt interrupt;
        UntilStopped watcher(stop);
        const VerifyWorld world{
            .config = config,
            .pipeline = pipeline,
            .call = [&](index::HttpRequest request) { return session.call(std::move(request)); },
            .interrupt = interrupt,
            .watcher = watcher};
        verify_unasked(world, log);
    }
}

}  // namespace pawl::ops
