#include "journal/reader.h"

#include <unistd.h>

#include <algorithm>

#include <fmt/core.h>

#include "journal/assembler.h"
#include "journal/environment.h"
#include "journal/file_reading.h"
#include "journal/format.h"
#include "journal/lock.h"

namespace pawl::journal {
namespace {

// A writer at work moves pages under the page reader; a second look nearly always finds it at rest.
constexpr int tries_max = 50;

// By LMDB, whose readers and writers agree. Only for a journal that another process has open: that one has
// checked the file, and LMDB must not open it twice in one process.
Result<Contents> read_with_lmdb(const std::filesystem::path& folder) {
    const auto environment = Environment::open_to_read(folder);
    if (!environment) return std::unexpected(environment.error());
    return read_all(*environment);
}

}  // namespace

const PipelineSnapshot* Contents::find(std::string_view pipeline) const {
    const auto found = std::ranges::find_if(
        pipelines, [&](const PipelineSnapshot& snapshot) { return snapshot.pipeline.name == pipeline; });
    return found == pipelines.end() ? nullptr : &*found;
}

Result<Contents> read_journal(const std::filesystem::path& folder) {
    const std::filesystem::path data_file = folder / format::data_file;
    for (int tries = 0; tries < tries_max; ++tries) {
        const auto writer = writer_of(folder);
        if (writer && *writer != ::getpid()) {
            if (auto contents = read_with_lmdb(folder)) {
                if (contents->format > format::version)
                    return std::unexpected(newer_format(data_file, contents->format));
                contents->writer_pid = writer;
                return contents;
            }
        }
        auto reading = read_file(data_file);
        if (!reading) return std::unexpected(reading.error());
        if (auto refusal = refusal_of(data_file, *reading)) return std::unexpected(std::move(*refusal));
        if (reading->changed_meanwhile) continue;
        reading->contents.writer_pid = writer;
        return std::move(reading->contents);
    }
    return fail(ErrorKind::unavailable,
                fmt::format("{} changes faster than it can be read", data_file.string()),
                "try again, as the user that pawl runs as");
}

}  // namespace pawl::journal
