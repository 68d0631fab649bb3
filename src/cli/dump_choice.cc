#include <algorithm>
#include <cctype>
#include <charconv>

#include <fmt/core.h>

#include "cli/dump_view.h"
#include "cli/journal_folder.h"

namespace pawl::cli {
namespace {

using journal::BatchState;

std::optional<BatchState> parse_state(std::string_view word) {
    std::string upper(word);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](unsigned char byte) { return static_cast<char>(std::toupper(byte)); });
    for (const BatchState state : {BatchState::intent, BatchState::applied, BatchState::committed})
        if (name_of(state) == upper) return state;
    return std::nullopt;
}

}  // namespace

Result<DumpChoice> DumpChoice::parse(std::string_view pipeline, std::string_view batch,
                                     std::string_view state) {
    DumpChoice choice;
    choice.pipeline = pipeline;
    if (!batch.empty()) {
        const auto slash = batch.rfind('/');
        const auto number = slash == batch.npos ? batch : batch.substr(slash + 1);
        if (slash != batch.npos) {
            if (!pipeline.empty() && pipeline != batch.substr(0, slash))
                return fail(ErrorKind::invalid,
                            fmt::format("--batch {} is not of --pipeline {}", batch, pipeline),
                            "leave out --pipeline");
            choice.pipeline = batch.substr(0, slash);
        }
        journal::BatchId id = 0;
        const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), id);
        if (error != std::errc{} || end != number.data() + number.size())
            return fail(ErrorKind::invalid,
                        fmt::format("--batch: found \"{}\", expected a number or pipeline/number", batch),
                        "pawl dump --batch lex/17");
        choice.batch = id;
    }
    if (!state.empty()) {
        choice.state = parse_state(state);
        if (!choice.state)
            return fail(ErrorKind::invalid,
                        fmt::format("--state: found \"{}\", expected INTENT, APPLIED or COMMITTED", state),
                        "pawl dump --state INTENT");
    }
    return choice;
}

Result<void> apply(const DumpChoice& choice, journal::Contents& contents) {
    if (auto kept = keep_pipeline(contents, choice.pipeline); !kept) return kept;
    for (auto& snapshot : contents.pipelines)
        std::erase_if(snapshot.batches, [&](const journal::Batch& batch) {
            return (choice.batch && batch.id != *choice.batch) ||
                   (choice.state && batch.state != *choice.state);
        });
    return {};
}

}  // namespace pawl::cli
