// Commands of the contract that later versions bring: they say so, and are not offered in --help.
#include <fmt/core.h>

#include "cli/command.h"

namespace pawl::cli {
namespace {

int refuse(std::string_view name, std::string_view advice, Io& io) {
    return report(io, {ErrorKind::invalid, fmt::format("pawl {} is not in this version yet", name),
                       std::string(advice)});
}

int verify(const Words&, Io& io) {
    return refuse("verify", "pawl check looks at the set-up, pawl status at where each pipeline stands", io);
}
int rebuild(const Words&, Io& io) {
    return refuse("rebuild", "move the alias to a new, empty index: pawl fills it from the first revision",
                  io);
}
int outbox_sql(const Words&, Io& io) {
    return refuse("outbox-sql", "use mode = \"revision\"", io);
}

}  // namespace

const Command verify_command{"verify", "Compare index and history", "pawl verify", verify, false};
const Command rebuild_command{"rebuild", "Build the index anew", "pawl rebuild", rebuild, false};
const Command outbox_sql_command{"outbox-sql", "Print the outbox's triggers", "pawl outbox-sql", outbox_sql,
                                 false};

}  // namespace pawl::cli
