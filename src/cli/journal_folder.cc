#include "cli/journal_folder.h"

#include <fmt/format.h>

namespace pawl::cli {

void JournalOption::add_to(Arguments& arguments) {
    arguments.option("--journal", "DIR", folder_, "the journal's folder; the config is not read then");
    arguments.config_file(config_file_);
}

Result<std::filesystem::path> JournalOption::folder() {
    if (!folder_.empty()) return folder_;
    auto config = config::load(config_file_);
    if (!config) {
        Error error = std::move(config.error());
        error.advice += "; or name the journal's folder with --journal";
        return std::unexpected(std::move(error));
    }
    config_ = std::move(*config);
    return config_->journal.path;
}

Result<void> keep_pipeline(journal::Contents& contents, const std::string& name) {
    if (name.empty()) return {};
    std::vector<std::string> names;
    names.reserve(contents.pipelines.size());
    for (const auto& snapshot : contents.pipelines)
        names.push_back(snapshot.pipeline.name);
    std::erase_if(contents.pipelines, [&](const auto& snapshot) { return snapshot.pipeline.name != name; });
    if (!contents.pipelines.empty()) return {};
    return fail(ErrorKind::invalid, fmt::format("the journal knows no pipeline \"{}\"", name),
                names.empty() ? "start pawl first: the journal is empty"
                              : fmt::format("one of: {}", fmt::join(names, ", ")));
}

}  // namespace pawl::cli
