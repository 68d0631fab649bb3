#include "ops/rebuild_folder.h"

#include <algorithm>
#include <system_error>
#include <vector>

#include <fmt/core.h>

#include "engine/pipeline.h"
#include "journal/digest.h"
#include "journal/reader.h"

namespace pawl::ops {
namespace {

// Each part with its length, so that no two configs read alike.
void add(std::string& text, std::string_view part) {
    text += fmt::format("{}:{},", part.size(), part);
}

std::uint64_t digest_of(const config::MariaDb& mariadb, const config::Pipeline& pipeline) {
    std::string text;
    const config::Source& source = pipeline.source;
    const std::string outbox = source.outbox ? source.outbox->table : "";
    for (const std::string& part : {mariadb.database, std::string(journal::name_of(source.mode)),
                                    source.table, source.revision, source.entity, source.deleted, outbox,
                                    pipeline.document.body, pipeline.index.alias, pipeline.index.create_body})
        add(text, part);
    if (source.outbox) add(text, source.outbox->view);
    for (const auto* const pairs : {&pipeline.document.fields, &pipeline.document.constants}) {
        add(text, fmt::format("{}", pairs->size()));
        for (const auto& [name, value] : *pairs) {
            add(text, name);
            add(text, value);
        }
    }
    return journal::digest_of(text);
}

std::unexpected<Error> storage(const std::filesystem::path& path, const std::error_code& error) {
    return fail(ErrorKind::storage, fmt::format("{}: {}", path.string(), error.message()),
                "see whether the journal's folder may be written to by the user who runs pawl");
}

std::filesystem::path journal_of(const config::Config& config, const config::Pipeline& pipeline) {
    return config.journal.path / "rebuild" / pipeline.name /
           fmt::format("{:016x}", digest_of(config.mariadb, pipeline));
}

Result<void> make_folder(const std::filesystem::path& folder) {
    std::error_code error;
    if (std::filesystem::create_directory(folder, error))
        std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
    if (error) return storage(folder, error);
    return {};
}

// Journals of rebuilds in the pipeline's folder; none where it is not there.
Result<std::vector<std::filesystem::path>> journals_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> found;
    std::error_code error;
    for (auto entry = std::filesystem::directory_iterator(folder, error);
         !error && entry != std::filesystem::directory_iterator(); entry.increment(error))
        if (entry->is_directory(error) && !error) found.push_back(entry->path());
    if (error && error != std::errc::no_such_file_or_directory) return storage(folder, error);
    return found;
}

RebuildFolderFact fact_of(const std::vector<std::filesystem::path>& found, const std::filesystem::path& own) {
    if (std::ranges::find(found, own) != found.end()) return RebuildFolderFact::same;
    return found.empty() ? RebuildFolderFact::none : RebuildFolderFact::other;
}

}  // namespace

Result<RebuildFolder> RebuildFolder::take(const config::Config& config, const config::Pipeline& pipeline) {
    auto journal = journal_of(config, pipeline);
    const auto folder = journal.parent_path();
    for (const auto& each : {config.journal.path, folder.parent_path(), folder})
        if (auto made = make_folder(each); !made) return std::unexpected(std::move(made.error()));
    auto lock = journal::WriterLock::take(folder);
    if (!lock) return std::unexpected(std::move(lock.error()).within("a rebuild of " + pipeline.name));
    return RebuildFolder(std::move(journal), std::move(*lock));
}

Result<std::vector<std::filesystem::path>> RebuildFolder::all() const {
    return journals_in(journal_.parent_path());
}

Result<RebuildFolderFact> RebuildFolder::look() const {
    const auto found = all();
    if (!found) return std::unexpected(found.error());
    return fact_of(*found, journal_);
}

Result<void> RebuildFolder::is_of_one_shape() const {
    const auto contents = journal::read_journal(journal_);
    if (!contents) return std::unexpected(contents.error());
    for (const journal::PipelineSnapshot& snapshot : contents->pipelines)
        for (const journal::Incident& incident : snapshot.pipeline.incidents)
            if (incident.label == engine::shape_incident)
                return fail(ErrorKind::decision,
                            "the table's columns have changed while the new index was filled",
                            "begin again: pawl rebuild --abort, then pawl rebuild");
    return {};
}

Result<void> RebuildFolder::clear() const {
    const auto found = all();
    if (!found) return std::unexpected(found.error());
    for (const auto& folder : *found) {
        std::error_code error;
        std::filesystem::remove_all(folder, error);
        if (error) return storage(folder, error);
    }
    return {};
}

Result<RebuildFolderFact> look_at_rebuild_folder(const config::Config& config,
                                                 const config::Pipeline& pipeline) {
    const auto journal = journal_of(config, pipeline);
    const auto found = journals_in(journal.parent_path());
    if (!found) return std::unexpected(found.error());
    return fact_of(*found, journal);
}

}  // namespace pawl::ops
