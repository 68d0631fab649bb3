#include <algorithm>
#include <ostream>

#include <fmt/format.h>

#include "cli/arguments.h"
#include "cli/init_view.h"
#include "config/secret_file.h"
#include "source/connection.h"
#include "source/inspect.h"
#include "source/table.h"

namespace pawl::cli {
namespace {

constexpr std::size_t tables_named_max = 20;

// Without --table: which tables there are.
Error no_table(source::Connection& connection, const std::string& database) {
    Error error{ErrorKind::invalid, "--table is missing", "name the history table with --table"};
    auto names = source::table_names(connection, database);
    if (!names || names->empty()) return error;
    names->resize(std::min(names->size(), tables_named_max));
    error.advice += fmt::format(": {}", fmt::join(*names, ", "));
    return error;
}

Result<std::string> make_config(InitWish wish, const std::string& table_name) {
    if (wish.mariadb.database.empty())
        return fail(ErrorKind::invalid, "--database is missing", "pawl init --database karp --table lex");
    if (!wish.password_file.empty()) {
        auto secret = config::read_secret(wish.password_file);
        if (!secret) return std::unexpected(std::move(secret.error()));
        wish.mariadb.password = std::move(secret->secret);
    }
    source::Interrupt interrupt;
    auto connection = source::Connection::open(wish.mariadb, interrupt);
    if (!connection) return std::unexpected(std::move(connection.error()));
    if (table_name.empty()) return std::unexpected(no_table(*connection, wish.mariadb.database));
    const auto table = source::describe(*connection, wish.mariadb.database, table_name);
    if (!table) return std::unexpected(table.error());
    return init_config(wish, *table, source::guess_columns(*table));
}

int run_init(const Words& words, Io& io) {
    InitWish wish;
    wish.mariadb.user = "pawl";
    std::string table;
    Arguments arguments(init_command);
    arguments.option("--table", "NAME", table, "the history table");
    arguments.option("--database", "NAME", wish.mariadb.database, "its database");
    arguments.option("--host", "HOST", wish.mariadb.host, "MariaDB's host (default 127.0.0.1)");
    arguments.port("--port", wish.mariadb.port, "MariaDB's port (default 3306)");
    arguments.option("--socket", "PATH", wish.mariadb.socket, "MariaDB's socket, in place of host and port");
    arguments.option("--user", "NAME", wish.mariadb.user, "MariaDB user (default pawl)");
    arguments.option("--password-file", "FILE", wish.password_file, "file with the password");
    arguments.option("--alias", "NAME", wish.alias, "the index's alias (default: the table's name)");
    if (const auto code = arguments.parse(words, io)) return *code;
    const auto text = make_config(std::move(wish), table);
    if (!text) return report(io, text.error());
    io.out << *text;
    return exit_code::done;
}

}  // namespace

const Command init_command{"init", "Look at a table and print a config for it",
                           "pawl init --database karp --table lex --user pawl > pawl.toml", run_init};

}  // namespace pawl::cli
