// What MariaDB's and Connector/C's error numbers mean to pawl.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"

namespace pawl::source {

// A lock that NOWAIT, or lock_wait_timeout = 0, did not wait for.
inline constexpr unsigned server_error_lock_wait = 1205;
inline constexpr unsigned server_error_no_privilege = 1142;  // on the table
inline constexpr unsigned server_error_no_column_privilege = 1143;
inline constexpr unsigned server_error_no_trigger = 1360;

// Numbers from 2000 on are Connector/C's (errmsg.h), the others the server's (mysqld_error.h). A number that
// is not listed is `unavailable`: it is tried again, visibly, and nothing is lost by that.
ErrorKind kind_of_server_error(unsigned number);

// Whether a statement that fails like this may succeed on other rows: a value was out of range, a function
// raised an error of its own (SIGNAL), a subquery gave several rows, … `sql_state` has five characters.
bool is_about_a_value(unsigned number, std::string_view sql_state);

// "<place>: MariaDB error 1146: Table … doesn't exist". The server's text is cut to a bounded length.
Error server_error(unsigned number, std::string_view text, std::string_view place);

}  // namespace pawl::source
