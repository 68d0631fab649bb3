#include "cli/verify_view.h"

#include <algorithm>
#include <array>
#include <ranges>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/io.h"
#include "cli/json.h"
#include "cli/text.h"

namespace pawl::cli {
namespace {

using ops::Difference;
using ops::Outcome;
using ops::VerifyReport;

constexpr std::size_t shown_max = 20;  // differences in the text; the JSON has all that are listed

std::uint64_t per_second(std::uint64_t count, TimeMs span) {
    return span <= 0 ? 0 : count * 1000 / static_cast<std::uint64_t>(span);
}

std::size_t count_of(const VerifyReport& report, Outcome outcome) {
    return static_cast<std::size_t>(std::ranges::count(report.differences, outcome, &Difference::outcome));
}

std::string word_for(const VerifyReport& report) {
    if (report.equal()) return "equal";
    if (report.settled()) return "healed";
    return "DIFFERENT: " + counts_text(report);
}

std::string summary(const VerifyReport& report) {
    std::string text = fmt::format("{}: {}; {} of {}, {} at revision {}, {} documents/s\n", report.pipeline,
                                   word_for(report), counted(report.documents, "document", "documents"),
                                   report.index, counted(report.entities, "living entity", "living entities"),
                                   report.revision, per_second(report.documents, report.took_ms));
    if (report.quarantined > 0)
        text += fmt::format("  {} in quarantine left out (pawl quarantine list)\n",
                            counted(report.quarantined, "entity", "entities"));
    if (report.unsettled > 0)
        text += fmt::format("  {} changed all the time, or wait for pawl to send them: not judged\n",
                            counted(report.unsettled, "entity", "entities"));
    if (!report.left_out.empty())
        text += fmt::format("  not compared, since the mapping keeps it out of _source: {}\n",
                            printable(fmt::format("{}", fmt::join(report.left_out, ", "))));
    return text;
}

std::string number(const std::optional<engine::Revision>& revision) {
    return revision ? std::to_string(*revision) : "-";
}

std::string table_of(const VerifyReport& report) {
    if (report.equal()) return {};
    TextTable table({"entity", "kind", "index has", fmt::format("{} has", source_word(report)), ""});
    const std::size_t shown = std::min(shown_max, report.differences.size());
    for (const Difference& difference : report.differences | std::views::take(shown))
        table.add({printable(difference.entity), std::string(name_of(difference.kind)),
                   number(difference.indexed),
                   report.is_of_table ? (difference.has_row ? "a row" : "-")
                                      : number(difference.latest) + (difference.deletes ? " (deleted)" : ""),
                   difference.outcome == Outcome::open ? "" : std::string(name_of(difference.outcome))});
    std::string text = table.to_text("  ");
    if (shown < report.differences.size())
        text += fmt::format("  and {} more (--json lists them)\n", report.differences.size() - shown);
    return text;
}

std::string what_to_do(const VerifyReport& report, bool repaired) {
    if (report.settled()) return {};
    if (report.more_differences) return "  Try: pawl rebuild; more differs than is listed\n";
    std::string text;
    const auto hopeless = std::ranges::count(report.differences, false, &Difference::can_be_healed);
    if (!repaired && std::ranges::any_of(report.differences, &Difference::can_be_healed))
        text += fmt::format("  Try: pawl verify --repair{} --pipeline {}\n",
                            report.content && !report.is_of_table ? " --content" : "", report.pipeline);
    if (hopeless > 0)
        text += fmt::format(
            "  {} cannot be healed: the index holds versions above the {}, which no row can beat. See who "
            "else "
            "writes to it, then build it anew: pawl rebuild\n",
            counted(static_cast<std::uint64_t>(hopeless), "difference", "differences"),
            report.is_of_table ? "outbox" : "history");
    if (const auto refused = count_of(report, Outcome::quarantined); refused > 0)
        text += fmt::format("  {} refused by the index: see pawl quarantine list\n",
                            counted(refused, "document is", "documents are"));
    if (repaired && text.empty())
        text =
            "  Try: pawl status; what is not healed has not been sent yet, or somebody writes against it\n";
    return text;
}

Json difference_json(const Difference& difference) {
    return {{"entity", difference.entity},
            {"kind", name_of(difference.kind)},
            {"index_version", difference.indexed ? Json(*difference.indexed) : Json()},
            {"latest_revision", difference.latest ? Json(*difference.latest) : Json()},
            {"deleted", difference.deletes},
            {"has_row", difference.has_row},
            {"can_be_healed", difference.can_be_healed},
            {"outcome", name_of(difference.outcome)}};
}

Json pipeline_json(const Verified& verified) {
    if (verified.error)
        return {{"name", verified.pipeline},
                {"error",
                 {{"kind", name_of(verified.error->kind)},
                  {"message", verified.error->message},
                  {"advice", verified.error->advice}}}};
    const VerifyReport& report = verified.report;
    Json json{{"name", verified.pipeline},     {"error", Json()},
              {"equal", report.equal()},       {"settled", report.settled()},
              {"index", report.index},         {"source", source_word(report)},
              {"revision", report.revision},   {"entities", report.entities},
              {"documents", report.documents}, {"quarantined", report.quarantined},
              {"unsettled", report.unsettled}, {"content", report.content},
              {"left_out", report.left_out}};
    Json counts = Json::object();
    for (const verify::Kind kind : verify::kinds)
        counts[std::string(name_of(kind))] = report.count_of(kind);
    json["counts"] = std::move(counts);
    json["differences"] = Json::array();
    for (const Difference& difference : report.differences)
        json["differences"].push_back(difference_json(difference));
    json["more_differences"] = report.more_differences;
    json["buckets_differing"] = report.buckets_differing;
    json["rounds"] = report.rounds;
    json["looked_at"] = report.looked_at;
    json["took_ms"] = report.took_ms;
    json["documents_per_second"] = per_second(report.documents, report.took_ms);
    return json;
}

}  // namespace

std::string verify_text(const std::vector<Verified>& all, bool repaired) {
    std::string text;
    for (const Verified& verified : all)
        if (!verified.error)
            text +=
                summary(verified.report) + table_of(verified.report) + what_to_do(verified.report, repaired);
    return text;
}

std::string verify_json(const std::vector<Verified>& all) {
    Json json{{"equal", exit_code_of(all) == exit_code::done}, {"pipelines", Json::array()}};
    for (const Verified& verified : all)
        json["pipelines"].push_back(pipeline_json(verified));
    return to_line(json);
}

int exit_code_of(const std::vector<Verified>& all) {
    for (const Verified& verified : all)
        if (verified.error) return pawl::exit_code_of(verified.error->kind);
    const bool settled =
        std::ranges::all_of(all, [](const Verified& verified) { return verified.report.settled(); });
    return settled ? exit_code::done : exit_code::found_something;
}

std::string progress_text(const std::string& pipeline, const ops::VerifyProgress& progress, TimeMs since_ms) {
    return fmt::format("{}: {}{}: {} ({}/s)", pipeline, name_of(progress.stage),
                       progress.round == 0 ? "" : fmt::format(", round {}", progress.round), progress.done,
                       per_second(progress.done, since_ms));
}

}  // namespace pawl::cli
