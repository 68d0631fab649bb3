// Foreign keys that change rows behind the triggers' back: InnoDB carries them out by itself and runs no
// trigger.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "source/connection.h"

namespace pawl::source {

struct Cascade {
    std::string constraint;
    std::string what;  // "ON DELETE CASCADE ON UPDATE SET NULL"
};

// Those in a table's definition that change the table's own rows. `definition`: what SHOW CREATE TABLE says;
// information_schema shows constraints only to users who may do more than SELECT.
std::vector<Cascade> cascades_in(std::string_view definition);

// Of a table on the server.
Result<std::vector<Cascade>> cascades_of(Connection& connection, std::string_view database,
                                         std::string_view table);

}  // namespace pawl::source
