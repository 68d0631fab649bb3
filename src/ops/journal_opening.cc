#include "ops/journal_opening.h"

#include <utility>

#include <fmt/core.h>

#include "base/time.h"

namespace pawl::ops {
namespace {

void tell(const journal::SetAside& gone, Log& log) {
    const std::string why =
        gone.damage.empty() ? "an operator asked for it" : "it is damaged: " + gone.damage;
    log.write(Severity::warning, "",
              fmt::format("the journal was set aside as {}: {}; every pipeline rolls forward from what its "
                          "index remembers, or else from the first revision",
                          gone.file.string(), why),
              "keep the file for a bug report; pawl never reads or removes it");
}

}  // namespace

Result<OpenedJournal> open_journal(const config::Journal& settings, bool discard, Log& log) {
    std::optional<journal::SetAside> gone;
    if (discard || settings.on_damage == "discard") {
        const auto when = discard ? journal::SetAsideWhen::asked_for : journal::SetAsideWhen::damaged;
        auto set_aside = journal::set_aside(settings.path, when, clock_now());
        if (!set_aside) return std::unexpected(std::move(set_aside.error()));
        gone = std::move(*set_aside);
        if (gone) tell(*gone, log);
        if (discard && !gone)
            log.write(Severity::info, "",
                      fmt::format("{}: there is no journal to set aside", settings.path.string()));
    }
    auto writer = journal::Writer::open(settings.path, {.map_bytes_max = settings.size_max});
    if (!writer) return std::unexpected(std::move(writer.error()));
    return OpenedJournal{std::move(*writer), std::move(gone)};
}

}  // namespace pawl::ops
