#include <poll.h>

#include <cerrno>
#include <csignal>
#include <ostream>

#include "base/time.h"
#include "cli/arguments.h"
#include "cli/dump_view.h"
#include "cli/journal_folder.h"

namespace pawl::cli {
namespace {

constexpr int follow_interval_ms = 200;

volatile std::sig_atomic_t stop_asked = 0;

void ask_stop(int) {
    stop_asked = 1;
}

// Ctrl-C and SIGTERM end the following, not the process: the exit code is to be 0.
void catch_stop_signals() {
    struct sigaction action{};
    action.sa_handler = ask_stop;
    ::sigaction(SIGINT, &action, nullptr);
    ::sigaction(SIGTERM, &action, nullptr);
}

// Like journal::read_journal, of the chosen part only.
Result<journal::Contents> read_chosen(const std::filesystem::path& folder, const DumpChoice& choice) {
    auto contents = journal::read_journal(folder);
    if (!contents) return contents;
    if (auto applied = apply(choice, *contents); !applied) return std::unexpected(std::move(applied.error()));
    return contents;
}

int follow(const std::filesystem::path& folder, const DumpChoice& choice, bool json, Io& io) {
    catch_stop_signals();
    journal::Contents before;
    // A reader of our output that is gone ends it too.
    while (stop_asked == 0 && io.out.good()) {
        auto now = read_chosen(folder, choice);
        if (!now) return report(io, now.error());
        for (const std::string& line : json ? changes_json(before, *now) : changes_text(before, *now))
            io.out << line << '\n';
        io.out.flush();
        before = std::move(*now);
        ::poll(nullptr, 0, follow_interval_ms);
    }
    return exit_code::done;
}

int run_dump(const Words& words, Io& io) {
    bool json = false;
    bool follows = false;
    std::string batch;
    std::string state;
    std::string pipeline;
    JournalOption journal_option;
    Arguments arguments(dump_command);
    journal_option.add_to(arguments);
    arguments.flag("--json", json, "as JSON (docs/cli-json.md)");
    arguments.flag("--follow", follows, "print changes of state as they come, until Ctrl-C");
    arguments.option("--batch", "N", batch, "only this batch: 17 or lex/17");
    arguments.option("--state", "STATE", state, "only batches in this state: INTENT, APPLIED, COMMITTED");
    arguments.option("--pipeline", "NAME", pipeline, "only this pipeline");
    if (const auto code = arguments.parse(words, io)) return *code;

    const auto choice = DumpChoice::parse(pipeline, batch, state);
    if (!choice) return report(io, choice.error());
    const auto folder = journal_option.folder();
    if (!folder) return report(io, folder.error());
    if (follows) return follow(*folder, *choice, json, io);

    const auto contents = read_chosen(*folder, *choice);
    if (!contents) return report(io, contents.error());
    io.out << (json ? dump_json(*contents) : dump_text(*contents, folder->string()));
    return contents->damages.empty() ? exit_code::done : exit_code::found_something;
}

}  // namespace

const Command dump_command{"dump", "Show what the journal holds: pipelines, batches, damage",
                           "pawl dump --state INTENT\n  pawl dump --journal /backup/pawl --json", run_dump};

}  // namespace pawl::cli
