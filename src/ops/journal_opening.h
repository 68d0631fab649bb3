// Opens the journal of a daemon, and decides what becomes of a damaged one.
#pragma once

#include <optional>

#include "base/error.h"
#include "config/config.h"
#include "journal/set_aside.h"
#include "journal/writer.h"
#include "ops/log.h"

namespace pawl::ops {

struct OpenedJournal {
    journal::Writer writer;
    std::optional<journal::SetAside> set_aside;  // what lay there before
};

// `discard`: an operator has said that whatever lies there is to be set aside. Without that word only a
// damaged journal is, and only with [journal] on_damage = "discard". The log says where it went and what
// follows. Errors: those of journal::set_aside and Writer::open.
Result<OpenedJournal> open_journal(const config::Journal& settings, bool discard, Log& log);

}  // namespace pawl::ops
