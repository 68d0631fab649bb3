#include "engine/effect.h"

#include <array>

#include "base/assert.h"

namespace pawl::engine {
namespace {

constexpr std::array<std::string_view, std::variant_size_v<Effect>> names{
    "ask_lease", "prepare_source", "prepare_target",  "read_page", "prove_gaps",
    "clean_up",  "look_up",        "write_journal",   "send_bulk", "write_checkpoint",
    "set_timer", "notice",         "report_recovery", "finish",
};

}  // namespace

std::string_view name_of(const Effect& effect) {
    PAWL_ASSERT(effect.index() < names.size());
    return names[effect.index()];
}

std::vector<std::string_view> effect_names() {
    return {names.begin(), names.end()};
}

}  // namespace pawl::engine
