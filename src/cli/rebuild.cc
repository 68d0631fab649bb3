#include <algorithm>
#include <charconv>
#include <ostream>

#include <fmt/format.h>

#include "cli/arguments.h"
#include "cli/daemon_run.h"
#include "cli/json.h"
#include "cli/text.h"
#include "ops/rebuild.h"

namespace pawl::cli {
namespace {

struct RebuildWish {
    std::string config_file;
    std::string pipeline;
    std::string rejected_max = "100";
    bool drop_old = false;
    bool verify = false;
    bool dry_run = false;
    bool abort = false;
    bool json = false;
};

// The one that is named, or the only one.
Result<const config::Pipeline*> choose(const config::Config& config, const std::string& name) {
    std::vector<std::string> names;
    for (const config::Pipeline& pipeline : config.pipelines) {
        if (pipeline.name == name || (name.empty() && config.pipelines.size() == 1)) return &pipeline;
        names.push_back(pipeline.name);
    }
    const std::string advice = fmt::format("--pipeline with one of: {}", fmt::join(names, ", "));
    if (name.empty()) return fail(ErrorKind::invalid, "which pipeline is to be rebuilt?", advice);
    return fail(ErrorKind::invalid, fmt::format("the config has no pipeline \"{}\"", name), advice);
}

Result<std::uint32_t> number_of(const std::string& text) {
    std::uint32_t number = 0;
    const char* const end = text.data() + text.size();
    const auto parsed = std::from_chars(text.data(), end, number);
    if (parsed.ec != std::errc{} || parsed.ptr != end)
        return fail(ErrorKind::invalid, fmt::format("--max-rejected {}: not a number of documents", text),
                    "pawl rebuild --help");
    return number;
}

int show_outlook(const config::Config& config, const config::Pipeline& pipeline, const RebuildWish& wish,
                 Io& io) {
    const auto outlook = ops::look_at_rebuild(config, pipeline);
    if (!outlook) return report(io, outlook.error());
    if (wish.json) {
        io.out << to_line(
            {{"pipeline", pipeline.name},
             {"step", name_of(outlook->step)},
             {"live_index", outlook->live_index},
             {"live_documents", outlook->live_documents},
             {"new_index", outlook->fresh_index.empty() ? Json() : Json(outlook->fresh_index)}});
        return exit_code::done;
    }
    const std::string fresh = outlook->fresh_index.empty()
                                  ? fmt::format("a new index {}-<UTC time>", pipeline.index.alias)
                                  : outlook->fresh_index;
    const auto text = [&]() -> std::string {
        if (outlook->step == ops::RebuildStep::conclude)
            return fmt::format("would conclude the rebuild: alias {} leads to {} already",
                               pipeline.index.alias, fresh);
        const char* const how = outlook->step == ops::RebuildStep::resume ? "go on filling" : "fill";
        return fmt::format(
            "would {} {} from {}.{} and let alias {} lead to it; {} ({}) would be {}", how,
            outlook->step == ops::RebuildStep::restart ? "(instead of " + fresh + ") a new index" : fresh,
            config.mariadb.database, pipeline.source.table, pipeline.index.alias, outlook->live_index,
            counted(outlook->live_documents, "document", "documents"), wish.drop_old ? "deleted" : "kept");
    };
    io.out << fmt::format("{}: {}\n", pipeline.name, text());
    return exit_code::done;
}

int give_up(const config::Config& config, const config::Pipeline& pipeline, const RebuildWish& wish, Io& io) {
    const auto gone = ops::abort_rebuild(config, pipeline);
    if (!gone) return report(io, gone.error());
    if (wish.json)
        io.out << to_line(
            {{"pipeline", pipeline.name}, {"deleted_index", gone->empty() ? Json() : Json(*gone)}});
    else
        io.out << fmt::format(
            "{}: {}\n", pipeline.name,
            gone->empty() ? "no rebuild was under way" : "given up; deleted index " + *gone);
    return exit_code::done;
}

std::string report_json(const config::Pipeline& pipeline, const ops::RebuildReport& done) {
    return to_line({{"pipeline", pipeline.name},
                    {"done", !done.stopped_by_signal},
                    {"began_with", name_of(done.step)},
                    {"old_index", done.old_index.empty() ? Json() : Json(done.old_index)},
                    {"old_index_deleted", done.dropped_old},
                    {"new_index", done.new_index.empty() ? Json() : Json(done.new_index)},
                    {"documents", done.documents},
                    {"rejected", done.rejected},
                    {"took_ms", done.took_ms}});
}

std::string report_text(const config::Pipeline& pipeline, const ops::RebuildReport& done) {
    if (done.stopped_by_signal)
        return fmt::format("{}: stopped by a signal; the next pawl rebuild goes on from here\n",
                           pipeline.name);
    std::string text = fmt::format(
        "{}: alias {} leads to {}, {}, after {}\n", pipeline.name, pipeline.index.alias, done.new_index,
        counted(done.documents, "document", "documents"), span_text(0, std::max<TimeMs>(done.took_ms, 1)));
    if (done.rejected > 0)
        text += fmt::format("  {} rejected; see: pawl quarantine list\n",
                            counted(done.rejected, "document was", "documents were"));
    if (!done.old_index.empty() && !done.dropped_old)
        text += fmt::format("  {} is kept; when it is not wanted any more: DELETE /{}\n", done.old_index,
                            done.old_index);
    return text;
}

int run_rebuild(const Words& words, Io& io) {
    RebuildWish wish;
    bool keep_old = false;
    Arguments arguments(rebuild_command);
    arguments.config_file(wish.config_file);
    arguments.option("--pipeline", "NAME", wish.pipeline, "which one; not needed where there is only one");
    arguments.flag("--drop-old", wish.drop_old, "delete the old index once the alias leads to the new one");
    arguments.flag("--keep-old", keep_old, "keep the old index, without an alias (the default)");
    arguments.option("--max-rejected", "N", wish.rejected_max,
                     "stop when the new index refuses more documents than this (default: 100)");
    arguments.flag("--verify", wish.verify,
                   "compare every entity before the swap, not only counts, as pawl verify does");
    arguments.flag("--dry-run", wish.dry_run, "say what would be done, and do not do it");
    arguments.flag("--abort", wish.abort, "give up a rebuild that was begun: delete its half-filled index");
    arguments.flag("--json", wish.json, "as JSON (docs/cli-json.md)");
    if (const auto code = arguments.parse(words, io)) return *code;
    if (wish.drop_old && keep_old)
        return report_usage(io, "--drop-old and --keep-old contradict each other", "rebuild");
    const auto rejected_max = number_of(wish.rejected_max);
    if (!rejected_max) return report(io, rejected_max.error());

    const auto configured = load_configured(wish.config_file);
    if (!configured) return report(io, configured.error());
    const auto pipeline = choose(configured->config, wish.pipeline);
    if (!pipeline) return report(io, pipeline.error());
    if (wish.dry_run) return show_outlook(configured->config, **pipeline, wish, io);
    if (wish.abort) return give_up(configured->config, **pipeline, wish, io);

    ops::StopSignal stop;
    const auto done =
        ops::rebuild(configured->config, **pipeline,
                     {.drop_old = wish.drop_old, .compare_all = wish.verify, .rejected_max = *rejected_max},
                     stop, *configured->log);
    if (!done) return report(io, done.error());
    io.out << (wish.json ? report_json(**pipeline, *done) : report_text(**pipeline, *done));
    return done->stopped_by_signal ? exit_code::stopped : exit_code::done;
}

}  // namespace

const Command rebuild_command{
    "rebuild", "Fill a new index beside the live one and swap the alias",
    "pawl rebuild --pipeline lex --dry-run\n  pawl rebuild --pipeline lex --drop-old", run_rebuild};

}  // namespace pawl::cli
