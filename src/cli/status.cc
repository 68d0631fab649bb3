#include <ostream>
#include <utility>

#include "cli/arguments.h"
#include "cli/journal_folder.h"
#include "cli/status_view.h"

namespace pawl::cli {
namespace {

int run_status(const Words& words, Io& io) {
    bool json = false;
    JournalOption journal_option;
    Arguments arguments(status_command);
    journal_option.add_to(arguments);
    arguments.flag("--json", json, "as JSON (docs/cli-json.md)");
    if (const auto code = arguments.parse(words, io)) return *code;

    const auto folder = journal_option.folder();
    if (!folder) return report(io, folder.error());
    const auto contents = journal::read_journal(*folder);
    if (!contents) return report(io, contents.error());
    const config::Config* const config = journal_option.config() ? &*journal_option.config() : nullptr;
    VerifyRecords verified;
    for (const auto& snapshot : contents->pipelines)
        if (auto record = ops::read_record(*folder, snapshot.pipeline.name))
            verified.emplace(snapshot.pipeline.name, std::move(*record));
    io.out << (json ? status_json(*contents, config, verified) : status_text(*contents, config, verified));
    return contents->damages.empty() ? exit_code::done : exit_code::found_something;
}

}  // namespace

const Command status_command{"status", "Show where each pipeline stands, and whether pawl is running",
                             "pawl status --json", run_status};

}  // namespace pawl::cli
