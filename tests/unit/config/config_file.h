// A pawl.toml in a folder of its own, for tests.
#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "config/config.h"

namespace pawl::test {

// Everything that must be there and nothing else.
inline constexpr std::string_view smallest_config = R"([mariadb]
database = "karp"
user = "pawl"

[elasticsearch]
urls = ["http://127.0.0.1:9200"]

[[pipeline]]
name = "lex"

[pipeline.source]
table = "lex"
revision = "history_id"
entity = "entity_id"

[pipeline.index]
alias = "lex"
)";

// The text with its first `from` replaced by `to`.
inline std::string with(std::string_view text, std::string_view from, std::string_view to) {
    std::string changed(text);
    const auto place = changed.find(from);
    if (place == std::string::npos) return "no such text: " + std::string(from);
    return changed.replace(place, from.size(), to);
}

class ConfigFile {
  public:
    ConfigFile() {
        std::string pattern = (std::filesystem::temp_directory_path() / "pawl-config-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    explicit ConfigFile(std::string_view text) : ConfigFile() { write("pawl.toml", text); }
    ~ConfigFile() { std::filesystem::remove_all(folder_); }
    ConfigFile(const ConfigFile&) = delete;
    ConfigFile& operator=(const ConfigFile&) = delete;

    std::filesystem::path write(std::string_view name, std::string_view text, unsigned mode = 0600) const {
        const auto path = folder_ / name;
        std::ofstream(path, std::ios::binary) << text;
        std::filesystem::permissions(path, static_cast<std::filesystem::perms>(mode));
        return path;
    }
    const std::filesystem::path& folder() const { return folder_; }
    std::filesystem::path file() const { return folder_ / "pawl.toml"; }

    // What is wrong with the file, one line each, without the folder's name.
    std::vector<std::string> problems() const {
        std::vector<std::string> lines;
        const auto config = config::load_all(file());
        if (config) return lines;
        for (const Error& error : config.error()) {
            std::string line = to_line(error);
            const std::string prefix = folder_.string() + "/";
            for (auto place = line.find(prefix); place != std::string::npos; place = line.find(prefix))
                line.erase(place, prefix.size());
            lines.push_back(line);
        }
        return lines;
    }

  private:
    std::filesystem::path folder_;
};

// What is wrong with a config of this text.
inline std::vector<std::string> problems_of(std::string_view text) {
    return ConfigFile(text).problems();
}

}  // namespace pawl::test
