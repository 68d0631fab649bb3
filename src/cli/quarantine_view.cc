#include "cli/quarantine_view.h"

#include <algorithm>

#include <fmt/core.h>

#include "cli/json.h"
#include "cli/text.h"

namespace pawl::cli {

std::string quarantine_text(const journal::Contents& contents) {
    TextTable table({"pipeline", "entity", "revision", "attempts", "since", "error", "reason"});
    std::uint64_t entries = 0;
    for (const auto& snapshot : contents.pipelines)
        for (const journal::QuarantineEntry& entry : snapshot.quarantine) {
            ++entries;
            table.add(
                {snapshot.pipeline.name, printable(entry.entity), fmt::format("{}", entry.revision),
                 fmt::format("{}", entry.attempts), to_iso8601(entry.since), printable(entry.error),
                 printable(entry.reason) + (entry.retry_requested ? " (another try was asked for)" : "")});
        }
    return entries == 0 ? "the quarantine is empty\n" : table.to_text("");
}

std::string quarantine_json(const journal::Contents& contents) {
    Json list = Json::array();
    for (const auto& snapshot : contents.pipelines)
        for (const journal::QuarantineEntry& entry : snapshot.quarantine)
            list.push_back({{"pipeline", snapshot.pipeline.name},
                            {"entity", entry.entity},
                            {"revision", entry.revision},
                            {"error", entry.error},
                            {"reason", entry.reason},
                            {"since", time_json(entry.since)},
                            {"attempts", entry.attempts},
                            {"retry_requested", entry.retry_requested}});
    return to_line(Json{{"quarantine", std::move(list)}});
}

Result<std::vector<Chosen>> choose(const journal::Contents& contents,
                                   const std::vector<std::string>& entities, bool all) {
    if (all != entities.empty())
        return fail(ErrorKind::invalid,
                    all ? "found both entities and --all" : "found neither entities nor --all",
                    "name the entities, or say --all");
    std::vector<Chosen> chosen;
    std::vector<std::string> unknown = entities;
    for (const auto& snapshot : contents.pipelines) {
        Chosen of_pipeline{snapshot.pipeline.name, snapshot.pipeline.source.mode};
        for (const journal::QuarantineEntry& entry : snapshot.quarantine) {
            if (!all && std::find(entities.begin(), entities.end(), entry.entity) == entities.end()) continue;
            of_pipeline.entities.push_back(entry.entity);
            std::erase(unknown, entry.entity);
        }
        if (!of_pipeline.entities.empty()) chosen.push_back(std::move(of_pipeline));
    }
    if (!unknown.empty())
        return fail(ErrorKind::invalid,
                    fmt::format("entity \"{}\" is not in quarantine; nothing was changed", unknown.front()),
                    "pawl quarantine list");
    return chosen;
}

}  // namespace pawl::cli
