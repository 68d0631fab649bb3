#include "ops/verify_basis.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <utility>

#include <fmt/core.h>

#include "index/checkpoint.h"
#include "journal/reader.h"

namespace pawl::ops {
namespace {

std::unexpected<Error> of_another_source(std::string_view who, const journal::SourceIdentity& source,
                                         std::string_view entities = "") {
    return fail(
        ErrorKind::decision,
        fmt::format("{} remembers another source, {} {}.{}{}{}: revisions of two sources cannot be "
                    "compared",
                    who, journal::name_of(source.mode), source.database, source.table,
                    entities.empty() ? "" : " of ", entities),
        "restore its former mode, database, table and entity in the config, or fill a new index from the "
        "present ones: pawl rebuild");
}

bool is_there(const std::filesystem::path& folder) {
    std::error_code problem;
    const auto status = std::filesystem::status(folder / "data.mdb", problem);
    return status.type() != std::filesystem::file_type::not_found;
}

// What the journal says of the pipeline; nothing where there is no journal, or it does not know it.
Result<std::optional<journal::PipelineSnapshot>> journaled(const config::Config& config,
                                                           const config::Pipeline& pipeline) {
    if (!is_there(config.journal.path)) return std::nullopt;
    auto contents = journal::read_journal(config.journal.path);
    if (!contents) return std::unexpected(std::move(contents.error()));
    if (!contents->damages.empty())
        return fail(ErrorKind::storage,
                    fmt::format("the journal {} is damaged: which entities are in quarantine is not known",
                                config.journal.path.string()),
                    "see: pawl dump; docs/operations.md says what to do about a damaged journal");
    const auto* const found = contents->find(pipeline.name);
    return found == nullptr ? std::nullopt : std::optional(*found);
}

Result<void> check_journal(const journal::Pipeline& known, const journal::SourceIdentity& source) {
    const bool has_only_waited = known.target.uuid.empty();  // a standby's, from its first start on
    if (!has_only_waited && known.source != source) return of_another_source("the journal", known.source);
    if (known.condition == journal::Condition::source_regressed)
        return fail(ErrorKind::decision,
                    fmt::format("the pipeline is stopped, SOURCE_REGRESSED: {}", known.condition_detail),
                    "see docs/operations.md, \"When the database was restored\"");
    return {};
}

bool has_open_batches(const journal::PipelineSnapshot& snapshot) {
    return std::ranges::any_of(snapshot.batches, [](const journal::Batch& batch) {
        return batch.state != journal::BatchState::committed;
    });
}

// False: another pawl has fed the index further than this journal knows, and what this one has in quarantine
// may be in the index by now, or other things not.
bool take_journal(const journal::PipelineSnapshot& snapshot, bool nobody_else_feeds, Settled& settled) {
    const bool all_read = nobody_else_feeds && !has_open_batches(snapshot);
    const engine::Revision revision = all_read ? snapshot.pipeline.high : snapshot.pipeline.watermark;
    if (revision < settled.revision) return false;
    settled.known = true;
    settled.revision = revision;
    settled.owed = {};  // its quarantine names them
    settled.quarantined.clear();
    for (const journal::QuarantineEntry& entry : snapshot.quarantine)
        settled.quarantined.insert(entry.entity);
    return true;
}

// A journal that speaks of another index says nothing of this one.
bool speaks_of(const journal::PipelineSnapshot& snapshot, const index::Target& target) {
    return snapshot.pipeline.target.uuid == target.identity.uuid;
}

}  // namespace

Result<VerifyBasis> find_basis(const config::Config& config, const config::Pipeline& pipeline,
                               bool nobody_else_feeds, const index::Call& call) {
    auto target = index::find_target(call, pipeline.index.alias);
    if (!target) return std::unexpected(std::move(target.error()));
    if (!*target)
        return fail(ErrorKind::target_missing, fmt::format("there is no alias {}", pipeline.index.alias),
                    "pawl sync makes the index and fills it");
    VerifyBasis basis{.target = std::move(**target), .settled = {}};
    const auto source = config::identity_of_source(config.mariadb, pipeline);
    auto remembered = index::remembered_in(basis.target.meta, basis.target.identity.index);
    if (!remembered) return std::unexpected(std::move(remembered.error()));
    if (*remembered) {
        const engine::Remembered& says = **remembered;
        if (says.source != source || !says.why_other_entities(config::entities_of(pipeline)).empty())
            return of_another_source("index " + basis.target.identity.index, says.source, says.entities);
        basis.settled.known = true;
        basis.settled.revision = says.revision;
        basis.settled.owed = says.owed;
        basis.is_filling = says.filling;
    }
    const auto snapshot = journaled(config, pipeline);
    if (!snapshot) return std::unexpected(snapshot.error());
    if (*snapshot) {
        if (auto fit = check_journal((*snapshot)->pipeline, source); !fit)
            return std::unexpected(std::move(fit.error()));
        if (speaks_of(**snapshot, basis.target) &&
            take_journal(**snapshot, nobody_else_feeds, basis.settled)) {
            const bool by_journal = (*snapshot)->pipeline.fill.has_value();
            basis.is_filling = by_journal && (basis.is_filling || !*remembered);  // it comes to an end once
        }
    }
    return basis;
}

Result<Settled> settled_now(const config::Config& config, const config::Pipeline& pipeline,
                            bool nobody_else_feeds, const index::Target& target, const Settled& before) {
    Settled settled = before;
    const auto snapshot = journaled(config, pipeline);
    if (!snapshot) return std::unexpected(snapshot.error());
    if (*snapshot && speaks_of(**snapshot, target)) take_journal(**snapshot, nobody_else_feeds, settled);
    return settled;
}

Result<void> is_still_behind_alias(const index::Call& call, const index::Target& target) {
    const auto now = index::find_target(call, target.identity.alias);
    if (!now) return std::unexpected(now.error());
    if (*now && (*now)->identity.uuid == target.identity.uuid) return {};
    return fail(ErrorKind::unavailable,
                fmt::format("alias {} led to index {} and leads to another one now", target.identity.alias,
                            target.identity.index),
                "run it again");
}

}  // namespace pawl::ops
