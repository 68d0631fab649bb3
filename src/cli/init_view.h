// The config that `pawl init` prints for a table.
#pragma once

#include <string>

#include "config/config.h"
#include "source/inspect.h"
#include "source/table.h"

namespace pawl::cli {

struct InitWish {
    config::MariaDb mariadb;    // as given on the command line
    std::string password_file;  // empty: none was given
    std::string alias;          // empty: the table's name
};

// Valid TOML with comments; where no column fits, the key stands there commented out with what is missing.
std::string init_config(const InitWish& wish, const source::Table& table, const source::Guess& guess);

// Quoted as TOML reads it: a key as it is, a string so that pawl expands nothing in it.
std::string toml_key(std::string_view text);
std::string toml_string(std::string_view text);

}  // namespace pawl::cli
