#include "cli/init_view.h"

#include <algorithm>
#include <cctype>

#include <fmt/core.h>

#include "config/values.h"

namespace pawl::cli {
namespace {

// "key = value   # comment"
std::string line(std::string_view key, std::string_view value, std::string_view comment) {
    const std::string setting = fmt::format("{} = {}", key, value);
    return comment.empty() ? setting + "\n" : fmt::format("{:<31} # {}\n", setting, comment);
}

// The part that a column plays, or a comment that nobody plays it.
std::string column_line(std::string_view key, const std::string& column, std::string_view comment) {
    if (!column.empty()) return line(key, toml_string(column), comment);
    return fmt::format("# {} = \"…\"   # no column of this table fits: {}\n", key, comment);
}

std::string server_text(const InitWish& wish) {
    const config::MariaDb& mariadb = wish.mariadb;
    std::string text = "[mariadb]\n";
    if (mariadb.socket.empty()) {
        text += line("host", toml_string(mariadb.host), "");
        text += line("port", fmt::format("{}", mariadb.port), "");
    } else {
        text += line("socket", toml_string(mariadb.socket), "");
    }
    text += line("database", toml_string(mariadb.database), "");
    text += line("user", toml_string(mariadb.user), "needs SELECT and LOCK TABLES on the table");
    if (wish.password_file.empty())
        text += "# password_file = \"/etc/pawl/mariadb.password\"   # one line, mode 0600\n";
    else
        text += line("password_file", toml_string(wish.password_file), "one line, mode 0600");
    return text;
}

bool is_used(const source::Guess& guess, const std::string& column) {
    return column == guess.revision || column == guess.entity || column == guess.deleted ||
           column == guess.body;
}

std::string document_text(const source::Table& table, const source::Guess& guess) {
    std::string text = "\n[pipeline.document]\n";
    if (guess.body.empty()) {
        text += "# Without body, every column becomes a field of its own name.\n";
        return text + "# fields = { field = \"column\" }\n# constants = { _resource_id = \"" + "…\" }\n";
    }
    text += line("body", toml_string(guess.body), "must hold one JSON object: it becomes _source");
    text += "# Other columns, as fields beside those of the body. Take out what the documents do not need.\n";
    std::string fields;
    for (const source::Column& column : table.columns) {
        if (is_used(guess, column.name) || column.kind == source::ColumnKind::unsupported) continue;
        fields += fmt::format("{}{} = {}", fields.empty() ? "" : ", ", toml_key(column.name),
                              toml_string(column.name));
    }
    return text + (fields.empty() ? "# fields = { field = \"column\" }\n"
                                  : fmt::format("fields = {{ {} }}\n", fields));
}

// Made of what a name may hold.
std::string pipeline_name(const std::string& table) {
    std::string name;
    for (const char byte : table) {
        const char lower = static_cast<char>(std::tolower(static_cast<unsigned char>(byte)));
        if (config::is_pipeline_name(std::string_view(&lower, 1))) name += lower;
    }
    constexpr std::size_t name_bytes_max = 64;
    name.resize(std::min(name.size(), name_bytes_max));
    return name.empty() ? "pipeline" : name;
}

}  // namespace

std::string toml_key(std::string_view text) {
    std::string quoted = "\"";
    for (const char byte : text) {
        const auto code = static_cast<unsigned char>(byte);
        if (byte == '"' || byte == '\\')
            quoted += fmt::format("\\{}", byte);
        else if (code < 0x20 || code == 0x7f)
            quoted += fmt::format("\\u{:04x}", code);
        else
            quoted += byte;
    }
    return quoted + "\"";
}

std::string toml_string(std::string_view text) {
    std::string quoted = toml_key(text);
    // "${" would be read as a variable.
    for (auto place = quoted.find("${"); place != std::string::npos; place = quoted.find("${", place + 3))
        quoted.insert(place, "$");
    return quoted;
}

std::string init_config(const InitWish& wish, const source::Table& table, const source::Guess& guess) {
    const std::string name = pipeline_name(table.name);
    std::string text = fmt::format(
        "# pawl's config for {}, guessed from its columns: read it before you use it, then\n"
        "# try it with: pawl check --config pawl.toml\n\n",
        table.full_name());
    text += "[journal]\n" + line("path", "\"/var/lib/pawl\"", "a folder of pawl's user alone");
    text += "\n" + server_text(wish);
    text += "\n[elasticsearch]\n" + line("urls", "[\"http://127.0.0.1:9200\"]",
                                         "Elasticsearch or OpenSearch; several nodes of one cluster");
    text += "# user = \"pawl\"\n# password_file = \"/etc/pawl/elasticsearch.password\"\n";
    text += "\n[[pipeline]]\n" + line("name", toml_string(name), "names the batches and the log lines");
    text += "\n[pipeline.source]\n" + line("mode", "\"revision\"", "");
    text += line("table", toml_string(table.name), "");
    text += column_line("revision", guess.revision, "a unique integer that grows with every row");
    text +=
        column_line("entity", guess.entity, "what becomes one document; its id, with an index of its own");
    text += column_line("deleted", guess.deleted, "true: the row deletes the entity");
    text += document_text(table, guess);
    const std::string alias = wish.alias.empty() ? name : wish.alias;
    text += "\n[pipeline.index]\n" + line("alias", toml_string(alias), "");
    text += "# create = \"" + name +
            ".index.json\"   # {\"settings\": …, \"mappings\": …}: pawl creates the index from it\n";
    return text;
}

}  // namespace pawl::cli
