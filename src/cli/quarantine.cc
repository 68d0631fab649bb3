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

// Whether what is wished of this pipeline is left to a running pawl, or to the next that starts. In outbox
// mode only that can delete the rows of what is given up: else they would bring it back.
bool is_left_to_pawl(const QuarantineWish& wish, const Chosen& of, std::optional<int> daemon_pid) {
    return daemon_pid || (wish.drop && of.mode == journal::SourceMode::outbox);
}

Result<void> leave_to_pawl(const QuarantineWish& wish, const Chosen& of,
                           const std::filesystem::path& folder) {
    using Ask = ops::OperatorRequest::Ask;
    const Ask ask = wish.drop ? Ask::drop_quarantine : Ask::retry_quarantine;
    return ops::leave(folder, {ask, of.pipeline, wish.all ? std::vector<std::string>{} : of.entities});
}

// The one place that decides how an operator's words reach the journal: through the daemon, else straight
// into it.
Result<void> carry_out(const QuarantineWish& wish, const std::filesystem::path& folder,
                       const journal::WriterOptions& options, std::optional<int> daemon_pid) {
    std::vector<journal::Change> changes;
    for (const Chosen& of : wish.chosen) {
        if (is_left_to_pawl(wish, of, daemon_pid)) {
            if (auto left = leave_to_pawl(wish, of, folder); !left) return left;
        } else if (wish.drop) {
            changes.emplace_back(journal::DropQuarantine{of.pipeline, of.entities});
        } else {
            changes.emplace_back(journal::RetryQuarantine{of.pipeline, of.entities});
        }
    }
    if (changes.empty()) return {};
    auto writer = journal::Writer::open(folder, options);
    if (!writer) return std::unexpected(std::move(writer.error()));
    return writer->commit(changes);
}

std::string how(const QuarantineWish& wish, const Chosen& of, std::optional<int> daemon_pid) {
    if (daemon_pid) return fmt::format("asked pawl (pid {}) to ", *daemon_pid);
    return wish.drop && !is_left_to_pawl(wish, of, daemon_pid) ? "" : "pawl's next start will ";
}

void print_wish(const QuarantineWish& wish, std::optional<int> daemon_pid, bool dry_run, Io& io) {
    for (const Chosen& of : wish.chosen)
        io.out << fmt::format("{}{} {} of {}\n", dry_run ? "would " : how(wish, of, daemon_pid),
                              wish.drop ? "drop" : "try again",
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
    if (!dry_run && !wish.chosen.empty()) {
        journal::WriterOptions options;
        if (journal_option.config()) options.map_bytes_max = journal_option.config()->journal.size_max;
        const auto done = carry_out(wish, *folder, options, contents->writer_pid);
        if (!done) return report(io, done.error());
    }
    print_wish(wish, contents->writer_pid, dry_run, io);
    return exit_code::done;
}

}  // namespace

const Command quarantine_command{"quarantine", "List, retry or drop entities that the index rejects",
                                 "pawl quarantine list\n  pawl quarantine retry --pipeline lex entity-17\n  "
                                 "pawl quarantine drop --all --dry-run",
                                 run_quarantine};

}  // namespace pawl::cli
