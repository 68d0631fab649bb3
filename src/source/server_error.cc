#include "source/server_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "source/json.h"
#include "source/limits.h"

namespace pawl::source {
namespace {

std::string advice_for(unsigned number) {
    switch (number) {
        case 1045:
        case 1698:
            return "check mariadb.user and mariadb.password_file, and that the account may come from this "
                   "host";
        case 1044:
        case 1142:
        case 1143:
            return "GRANT SELECT on the pipeline's table to the user that [mariadb] names";
        case 1130:
            return "allow the account from this host (CREATE USER 'name'@'host')";
        case 1419:
            return "set log_bin_trust_function_creators = 1 on the server, or let an administrator run what "
                   "`pawl outbox-sql` prints";
        case 1665:
            return "set binlog_format = MIXED or ROW on the server: pawl's clean-ups of the outbox are at "
                   "READ "
                   "COMMITTED, so that they make no writer wait, and STATEMENT cannot log those";
        case 1049:
            return "set mariadb.database to an existing database";
        case 1146:
            return "set pipeline.source.table, and where there is one pipeline.source.outbox, to an existing "
                   "table";
        case 1054:
            return "compare the columns in the config with the table's";
        case 1040:
        case 1203:
        case 1226:
            return "raise max_connections or the account's limit; pawl needs up to three connections per "
                   "pipeline";
        case 2002:
        case 2003:
        case 2005:
            return "check that the server runs and that mariadb.host, port or socket name it";
        case 2026:
            return "check mariadb.ca_file, cert_file, key_file, and that the certificate names mariadb.host";
        default:
            return {};
    }
}

}  // namespace

ErrorKind kind_of_server_error(unsigned number) {
    switch (number) {
        case 1044:  // no access to the database
        case 1045:  // wrong password
        case 1130:  // host not allowed
        case 1142:  // no privilege on the table
        case 1143:  // no privilege on the column
        case 1227:  // a privilege of the server is missing
        case 1251:  // the client cannot authenticate as the account demands
        case 1275:
        case 1370:
        case 1419:  // no triggers while there is a binary log
        case 1698:  // socket authentication refused
        case 1820:  // the password has expired
        case 1862:
        case 4151:  // the account is locked
        case 2049:
        case 2059:  // the authentication plugin cannot be loaded
            return ErrorKind::forbidden;
        case 1049:  // unknown database
        case 1054:  // unknown column
        case 1064:  // a syntax error: a version of the server that pawl does not know
        case 1146:  // unknown table
        case 1176:  // unknown key in FORCE INDEX
        case 1665:  // binlog_format = STATEMENT at READ COMMITTED
        case 2019:  // unknown character set
            return ErrorKind::invalid;
        default:
            return ErrorKind::unavailable;
    }
}

bool is_about_a_value(unsigned number, std::string_view sql_state) {
    constexpr unsigned too_many_rows = 1172;  // SELECT … INTO in a function, with the state of a syntax error
    constexpr unsigned too_deep_recursion = 1456;  // of a function, for some value
    if (number == too_many_rows || number == too_deep_recursion) return true;
    // No data, no case found, wrong number of rows, data, constraint; whatever a SIGNAL says.
    constexpr std::array<std::string_view, 6> classes{"02", "20", "21", "22", "23", "45"};
    return std::ranges::find(classes, sql_state.substr(0, 2)) != classes.end();
}

Error server_error(unsigned number, std::string_view text, std::string_view place) {
    return {
        kind_of_server_error(number),
        fmt::format("{}: MariaDB error {}: {}", place, number, cut(text, limits::server_message_bytes_max)),
        advice_for(number)};
}

}  // namespace pawl::source
