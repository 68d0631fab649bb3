#include <ostream>

#include <fmt/core.h>

#include "cli/arguments.h"
#include "cli/journal_folder.h"
#include "cli/quarantine_view.h"
#include "cli/text.h"
#include "journal/writer.h"
#include "ops/operator_request.h"

namespace pawl::cli {
namespace {

struct QuarantineWish {
    bool drop = false;
    bool all = false;
    std::vector<Chosen> chosen;
};

// The one place that decides how an operator's words reach the journal: through the daemon that has it open,
// else straight into it. Says which it was.
Result<std::string> carry_out(const QuarantineWish& wish, const std::filesystem::path& folder,
                              const journal::WriterOptions& options, std::optional<int> daemon_pid) {
    if (daemon_pid) {
        using Ask = ops::OperatorRequest::Ask;
        for (const Chosen& of : wish.chosen) {
            const Ask ask = wish.drop ? Ask::drop_quarantine : Ask::retry_quarantine;
            const auto left =
                ops::leave(folder, {ask, of.pipeline, wish.all ? std::vector<std::string>{} : of.entities});
            if (!left) return std::unexpected(left.error());
        }
        return fmt::format("asked pawl (pid {}) to ", *daemon_pid);
    }
    auto writer = journal::Writer::open(folder, options);
    if (!writer) return std::unexpected(std::move(writer.error()));
    std::vector<journal::Change> changes;
    for (const Chosen& of : wish.chosen) {
        if (wish.drop)
            changes.emplace_back(journal::DropQuarantine{of.pipeline, of.entities});
        else
            changes.emplace_back(journal::RetryQuarantine{of.pipeline, of.entities});
    }
    if (auto written = writer->commit(changes); !written) return std::unexpected(std::move(written.error()));
    return std::string(wish.drop ? "" : "pawl's next start will ");
}

void print_wish(const QuarantineWish& wish, std::string_view how, bool dry_run, Io& io) {
    for (const Chosen& of : wish.chosen)
        io.out << fmt::format("{}{} {} of {}\n", dry_run ? "would " : how, wish.drop ? "drop" : "try again",
                              counted(of.entities.size(), "entity", "entities"), of.pipeline);
    if (wish.chosen.empty()) io.out << "the quarantine is empty\n";
}

int run_quarantine(const Words& words, Io& io) {
    std::string action;
    std::string pipeline;
    std::vector<std::string> entities;
    bool json = false;
    bool dry_run = false;
    QuarantineWish wish;
    JournalOption journal_option;
    Arguments arguments(quarantine_command);
    arguments.word("action", action, {"list", "retry", "drop"},
                   "list: show the entities; retry: try their latest rows again; drop: forget them");
    arguments.words("entity", entities, "what to retry or drop");
    arguments.flag("--all", wish.all, "every entity in quarantine");
    arguments.option("--pipeline", "NAME", pipeline, "only this pipeline");
    arguments.flag("--dry-run", dry_run, "say what would be done, and do not do it");
    arguments.flag("--json", json, "as JSON (list only, docs/cli-json.md)");
    journal_option.add_to(arguments);
    if (const auto code = arguments.parse(words, io)) return *code;

    const auto folder = journal_option.folder();
    if (!folder) return report(io, folder.error());
    auto contents = journal::read_journal(*folder);
    if (!contents) return report(io, contents.error());
    if (auto kept = keep_pipeline(*contents, pipeline); !kept) return report(io, kept.error());
    if (action == "list") {
        io.out << (json ? quarantine_json(*contents) : quarantine_text(*contents));
        return contents->damages.empty() ? exit_code::done : exit_code::found_something;
    }

    auto chosen = choose(*contents, entities, wish.all);
    if (!chosen) return report(io, chosen.error());
    wish.drop = action == "drop";
    wish.chosen = std::move(*chosen);
    std::string how;
    if (!dry_run && !wish.chosen.empty()) {
        journal::WriterOptions options;
        if (journal_option.config()) options.map_bytes_max = journal_option.config()->journal.size_max;
        auto done = carry_out(wish, *folder, options, contents->writer_pid);
        if (!done) return report(io, done.error());
        how = std::move(*done);
    }
    print_wish(wish, how, dry_run, io);
    return exit_code::done;
}

}  // namespace

const Command quarantine_command{"quarantine", "List, retry or drop entities that the index rejects",
                                 "pawl quarantine list\n  pawl quarantine retry --pipeline lex entity-17\n  "
                                 "pawl quarantine drop --all --dry-run",
                                 run_quarantine};

}  // namespace pawl::cli
