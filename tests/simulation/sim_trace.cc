#include "tests/simulation/sim_trace.h"

#include <ostream>
#include <variant>

namespace pawl::simulation {
namespace {

std::string_view word_of(engine::Action action) {
    switch (action) {
        case engine::Action::index:
            return "index";
        case engine::Action::remove:
            return "remove";
        case engine::Action::invalid:
            return "invalid";
    }
    return "?";
}

std::string word_of(const engine::ItemResult& item) {
    using engine::ItemStatus;
    switch (item.status) {
        case ItemStatus::done:
            return "done";
        case ItemStatus::superseded:
            return fmt::format("409 (stored {})", item.stored_version.value_or(0));
        case ItemStatus::rejected:
            return "400";
        case ItemStatus::retry:
            return "429";
        case ItemStatus::forbidden:
            return "403";
        case ItemStatus::target_missing:
            return "404";
    }
    return "?";
}

std::string names_of(const std::vector<std::string>& entities) {
    std::string text;
    for (const std::string& entity : entities)
        text += fmt::format(" {}", entity);
    return entities.empty() ? " all" : text;
}

std::string words(const journal::BeginPipeline& change) {
    return fmt::format("BeginPipeline for {}, high {}{}", change.target.index, change.high,
                       change.fill ? fmt::format(", to be filled after \"{}\"", change.fill->after) : "");
}
std::string words(const journal::OpenBatch& change) {
    return fmt::format("OpenBatch lex/{} {} high {} gaps {}", change.batch.id,
                       in_words(change.batch.revisions), change.high, in_words(change.gaps));
}
std::string words(const journal::ApplyBatch& change) {
    std::string text =
        fmt::format("ApplyBatch lex/{} {} done, {} superseded, {} quarantined", change.batch,
                    change.outcome.done, change.outcome.superseded, change.outcome.quarantined);
    for (const auto& entry : change.quarantined)
        text += fmt::format(", {}@{} enters quarantine", entry.entity, entry.revision);
    for (const auto& entity : change.released)
        text += fmt::format(", {} leaves quarantine", entity);
    return text;
}
std::string words(const journal::CommitBatches& change) {
    std::string text = "CommitBatches";
    for (const journal::BatchId batch : change.batches)
        text += fmt::format(" lex/{}", batch);
    text += fmt::format(" watermark {}", change.watermark);
    if (change.fill) text += fmt::format(", filled after \"{}\"", change.fill->after);
    return text;
}
std::string words(const journal::CloseGaps& change) {
    return fmt::format("CloseGaps, left {} watermark {}", in_words(change.gaps), change.watermark);
}
std::string words(const journal::SetCondition& change) {
    return fmt::format("SetCondition {} {}", journal::name_of(change.condition), change.detail);
}
std::string words(const journal::RetryQuarantine& change) {
    return "RetryQuarantine" + names_of(change.entities);
}
std::string words(const journal::RecordCheckpoint& change) {
    return fmt::format("RecordCheckpoint {}", change.checkpoint.revision);
}
std::string words(const journal::SetShape& change) {
    return fmt::format("SetShape {:x}", change.shape);
}
std::string words(const journal::NoteIncident& change) {
    return fmt::format("NoteIncident {} {}", change.label, change.text);
}
std::string words(const journal::DropQuarantine& change) {
    return "DropQuarantine" + names_of(change.entities);
}

}  // namespace

void SimTrace::line(std::string_view who, std::string_view text) const {
    const TimeMs at = clock_.now() - began_;
    *listener_ << fmt::format("{:>7}.{:03} s  {:<8} {}\n", at / 1'000, at % 1'000, who, text);
}

std::string in_words(const engine::IntervalSet& revisions) {
    std::string text;
    for (const engine::Interval& interval : revisions.intervals()) {
        text += fmt::format("{}{}", text.empty() ? "" : " ", interval.first);
        if (interval.last == journal::revision_max)
            text += "-";
        else if (interval.last > interval.first)
            text += fmt::format("-{}", interval.last);
    }
    return "{" + text + "}";
}

std::string in_words(const journal::Change& change) {
    return std::visit([](const auto& one) { return words(one); }, change);
}

std::string in_words(std::span<const engine::Row> rows) {
    std::string text;
    for (const engine::Row& row : rows)
        text += fmt::format("{}{}@{} {}", text.empty() ? "" : ", ", row.entity, row.revision,
                            word_of(row.action));
    return text.empty() ? "nothing" : text;
}

std::string in_words(std::span<const engine::ItemResult> items) {
    std::string text;
    for (const engine::ItemResult& item : items)
        text += fmt::format("{}{}", text.empty() ? "" : ", ", word_of(item));
    return text;
}

}  // namespace pawl::simulation
