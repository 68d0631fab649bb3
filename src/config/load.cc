// pawl.toml as a whole.
#include <fmt/core.h>

#include "config/config.h"
#include "config/limits.h"
#include "config/secret_file.h"
#include "config/sections.h"

namespace pawl::config {

std::expected<Config, std::vector<Error>> load_all(const std::filesystem::path& file) {
    const auto text = read_file(file, limits::config_bytes_max);
    if (!text)
        return std::unexpected(
            std::vector{Error{ErrorKind::invalid, text.error().message,
                              "give the config's path with --config; `pawl init --table TABLE` prints one"}});
    const auto root = read_toml(*text, file.string());
    if (!root) return std::unexpected(std::vector{root.error()});

    Config config;
    config.file = file;
    Problems problems(file);
    Section section(&*root, "", 0, problems);
    read_journal(section.section("journal"), config.journal);
    read_mariadb(section.section("mariadb"), config.mariadb);
    read_elasticsearch(section.section("elasticsearch"), config.elasticsearch);
    read_pipelines(section.node("pipeline"), problems, config.pipelines);
    read_lease(section.section("lease"), config.lease);
    read_http(section.section("http"), config.http);
    read_verify(section.section("verify"), config.verify);
    read_log(section.section("log"), config.log);
    section.finish();
    if (!problems.none()) return std::unexpected(problems.errors());
    config.warnings = problems.warnings();
    return config;
}

Result<Config> load(const std::filesystem::path& file) {
    auto config = load_all(file);
    if (config) return std::move(*config);
    const std::size_t others = config.error().size() - 1;
    Error first = std::move(config.error().front());
    if (others > 0) {
        if (!first.advice.empty()) first.advice += "; ";
        first.advice +=
            fmt::format("`pawl check` lists {} more {}", others, others == 1 ? "problem" : "problems");
    }
    return std::unexpected(std::move(first));
}

}  // namespace pawl::config
