// Any bytes as pawl.toml. What must hold: a list of problems, each with file, line and key, none longer than
// a person reads; or a config whose every value is in the range that the code behind it relies on.
#include <algorithm>
#include <charconv>
#include <cstdint>
#include <cstdlib>
#include <set>
#include <string>
#include <string_view>

#include "base/assert.h"
#include "config/config.h"
#include "config/limits.h"
#include "config/values.h"
#include "fuzz/folder.h"
#include "fuzz/judge.h"

using namespace pawl;
using namespace pawl::config;

namespace {

constexpr std::size_t error_bytes_max = 2048;  // of message and advice, without the file's name

// "FILE:12: …" → 12, "FILE: …" → 0
int line_in(std::string_view message, const std::string& file) {
    PAWL_ASSERT(message.starts_with(file + ":"));
    message.remove_prefix(file.size() + 1);
    int line = 0;
    std::from_chars(message.data(), message.data() + message.size(), line);
    PAWL_ASSERT(line > 0 || message.starts_with(' '));
    return line;
}

void check_problems(const std::vector<Error>& problems, const std::string& file, std::string_view text) {
    const auto lines = std::count(text.begin(), text.end(), '\n') + 1;
    PAWL_ASSERT(!problems.empty());
    int previous = 0;
    for (const Error& problem : problems) {
        PAWL_ASSERT(problem.kind == ErrorKind::invalid);
        const int line = line_in(problem.message, file);
        PAWL_ASSERT(line >= previous && line <= lines + 1);
        previous = line;
        PAWL_ASSERT(problem.message.size() - file.size() <= error_bytes_max);
        PAWL_ASSERT(problem.advice.size() <= error_bytes_max);
        const bool is_syntax = problem.message.find(": not TOML: ") != std::string::npos;
        // "FILE:12: key: what"
        const auto key = problem.message.find(": ", file.size());
        PAWL_ASSERT(is_syntax || problem.message.find(": ", key + 2) != std::string::npos);
    }
}

void check_range(std::int64_t value, std::int64_t min, std::int64_t max) {
    PAWL_ASSERT(value >= min && value <= max);
}

void check_pipeline(const Pipeline& pipeline) {
    PAWL_ASSERT(is_pipeline_name(pipeline.name) && is_alias(pipeline.index.alias));
    PAWL_ASSERT(!pipeline.source.table.empty() && !pipeline.source.entity.empty());
    PAWL_ASSERT((pipeline.source.mode == journal::SourceMode::revision) == !pipeline.source.revision.empty());
    PAWL_ASSERT((pipeline.source.mode == journal::SourceMode::outbox) == pipeline.source.outbox.has_value());
    if (const auto& outbox = pipeline.source.outbox) {
        PAWL_ASSERT(!outbox->table.empty() && !outbox->entity.columns.empty());
        PAWL_ASSERT(outbox->kept_from.empty());
        PAWL_ASSERT(outbox->entity.literals.size() == outbox->entity.columns.size() + 1);
        for (const config::JoinedTable& joined : outbox->joined)
            PAWL_ASSERT(!joined.table.empty() && joined.entity.literals == outbox->entity.literals);
    }
    PAWL_ASSERT(pipeline.index.create.empty() == pipeline.index.create_body.empty());
    std::set<std::string> fields;
    for (const auto& [field, column] : pipeline.document.fields)
        PAWL_ASSERT(!field.empty() && !column.empty() && fields.insert(field).second);
    for (const auto& [field, json] : pipeline.document.constants) {
        PAWL_ASSERT(!field.empty() && fields.insert(field).second);
        PAWL_ASSERT(fuzz::json_in(json) && json.find('\n') == json.npos);
    }
    const engine::Limits& its = pipeline.limits;
    check_range(its.batch_rows_max, limits::batch_documents_min, limits::batch_documents_max);
    check_range(static_cast<std::int64_t>(its.batch_bytes_max), limits::batch_bytes_min,
                limits::batch_bytes_max);
    check_range(static_cast<std::int64_t>(its.batches_open_max), limits::batches_open_min,
                limits::batches_open_max);
    check_range(static_cast<std::int64_t>(its.gaps_max), limits::gaps_min, limits::gaps_max);
    check_range(its.poll_interval_ms, limits::poll_interval_min_ms, limits::poll_interval_max_ms);
    PAWL_ASSERT(its.retry_delay_min_ms > 0 && its.retry_delay_min_ms <= its.retry_delay_max_ms);
}

void check_config(const Config& config) {
    PAWL_ASSERT(!config.mariadb.database.empty() && !config.mariadb.user.empty());
    PAWL_ASSERT(config.mariadb.port >= 1);
    PAWL_ASSERT(config.journal.size_max >= limits::journal_bytes_min);
    PAWL_ASSERT(config.journal.path.is_absolute());
    PAWL_ASSERT(!config.elasticsearch.urls.empty() && config.elasticsearch.urls.size() <= limits::urls_max);
    for (const std::string& url : config.elasticsearch.urls)
        PAWL_ASSERT(is_server_url(url));
    check_range(config.elasticsearch.request_timeout_ms, limits::request_timeout_min_ms,
                limits::request_timeout_max_ms);
    PAWL_ASSERT(!config.pipelines.empty() && config.pipelines.size() <= limits::pipelines_max);
    std::set<std::string> names;
    for (const Pipeline& pipeline : config.pipelines) {
        check_pipeline(pipeline);
        PAWL_ASSERT(names.insert(pipeline.name).second);
    }
    for (const std::string& warning : config.warnings)
        PAWL_ASSERT(warning.size() <= error_bytes_max);
}

}  // namespace

extern "C" int LLVMFuzzerInitialize(int*, char***) {
    const auto& folder = fuzz::folder();
    fuzz::write_bytes(folder / "lex.index.json", R"({"settings":{},"mappings":{}})");
    fuzz::write_bytes(folder / "secret", "hush\n");
    ::setenv("PORT", "3306", 1);
    ::setenv("BYTES", "\xff\xfe", 1);
    return 0;
}

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const auto file = fuzz::folder() / "pawl.toml";
    fuzz::write_bytes(file, text);
    if (const auto config = load_all(file))
        check_config(*config);
    else
        check_problems(config.error(), file.string(), text);
    return 0;
}
