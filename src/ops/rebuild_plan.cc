#include "ops/rebuild_plan.h"

#include <algorithm>
#include <array>

#include "base/assert.h"
#include "base/planted.h"
#include "engine/limits.h"

namespace pawl::ops {
namespace {

using enum RebuildAct;

// Rows are kept before the fill reads anything. The ids are raised, and the index that is replaced is named,
// when nobody feeds the new one any more: whoever feeds it takes more ids, and writes its _meta.
//
// An index goes before the folder: without one, whatever the folder holds is of no account. The rebuild's
// alias goes last: without the folder, it alone says that there is something to conclude.
constexpr std::array order{
    delete_half_filled,   clear_folder, keep_rows,     fill, finish_loading, compare,
    catch_up_before_swap, raise_ids,    tell_replaced, swap, drop_old,       catch_up_after_swap,
    clear_folder,         forget,
};

constexpr std::array of_outbox{keep_rows, raise_ids, tell_replaced};

// Where a rebuild enters it.
RebuildAct first_of(RebuildStep step) {
    switch (step) {
        case RebuildStep::restart:
            return delete_half_filled;
        case RebuildStep::begin:
            return clear_folder;
        case RebuildStep::resume:
            return PAWL_PLANTED(half_filled_taken_as_filled) ? swap : keep_rows;
        case RebuildStep::conclude:
        case RebuildStep::refuse:
            break;
    }
    return catch_up_after_swap;
}

void move_behind(std::vector<RebuildAct>& acts, RebuildAct act, RebuildAct other) {
    if (std::erase(acts, act) > 0) acts.insert(std::ranges::find(acts, other) + 1, act);
}

void plant(std::vector<RebuildAct>& acts) {
    if (PAWL_PLANTED(swap_before_catch_up)) move_behind(acts, catch_up_before_swap, swap);
    if (PAWL_PLANTED(swap_without_comparison)) std::erase(acts, compare);
    if (PAWL_PLANTED(old_index_dropped_before_swap)) move_behind(acts, drop_old, catch_up_before_swap);
    if (PAWL_PLANTED(no_catch_up_after_swap)) std::erase(acts, catch_up_after_swap);
    if (PAWL_PLANTED(ids_not_raised)) std::erase(acts, raise_ids);
    if (PAWL_PLANTED(replaced_not_told)) std::erase(acts, tell_replaced);
}

[[maybe_unused]] bool ends_with_drop(const std::vector<KeptAct>& acts) {
    return !acts.empty() && acts.back() == KeptAct::drop;
}

void plant(std::vector<KeptAct>& acts) {
    if (PAWL_PLANTED(kept_rows_not_handed_over)) std::erase(acts, KeptAct::hand_over);
    if (PAWL_PLANTED(kept_rows_dropped_early) && !ends_with_drop(acts)) acts.push_back(KeptAct::drop);
}

}  // namespace

RebuildStep next_step(RebuildIndexFact index, RebuildFolderFact folder) {
    switch (index) {
        case RebuildIndexFact::none:
            return RebuildStep::begin;
        case RebuildIndexFact::swapped:
            return RebuildStep::conclude;
        case RebuildIndexFact::filling:
            break;
    }
    switch (folder) {
        case RebuildFolderFact::none:
            return RebuildStep::refuse;
        case RebuildFolderFact::same:
            return RebuildStep::resume;
        case RebuildFolderFact::other:
            return PAWL_PLANTED(half_filled_for_other_config) ? RebuildStep::resume : RebuildStep::restart;
    }
    PAWL_ASSERT(!"a fact outside the enumeration");
    return RebuildStep::refuse;
}

RebuildStep with_kept_rows(RebuildStep step, bool are_kept) {
    return step == RebuildStep::resume && !are_kept ? RebuildStep::restart : step;
}

std::string_view name_of(RebuildStep step) {
    switch (step) {
        case RebuildStep::begin:
            return "begin";
        case RebuildStep::resume:
            return "resume";
        case RebuildStep::restart:
            return "restart";
        case RebuildStep::conclude:
            return "conclude";
        case RebuildStep::refuse:
            return "refuse";
    }
    PAWL_ASSERT(!"a step outside the enumeration");
    return {};
}

std::vector<RebuildAct> acts_of(RebuildStep step, HasOutbox has_outbox) {
    if (step == RebuildStep::refuse) return {};
    std::vector<RebuildAct> acts(std::ranges::find(order, first_of(step)), order.end());
    if (has_outbox == HasOutbox::no)
        std::erase_if(acts,
                      [](RebuildAct act) { return std::ranges::find(of_outbox, act) != of_outbox.end(); });
    plant(acts);
    return acts;
}

std::string_view name_of(RebuildAct act) {
    constexpr std::array<std::string_view, 13> names{
        "delete_half_filled",
        "clear_folder",
        "keep_rows",
        "fill",
        "finish_loading",
        "compare",
        "catch_up_before_swap",
        "raise_ids",
        "tell_replaced",
        "swap",
        "drop_old",
        "catch_up_after_swap",
        "forget",
    };
    return names.at(static_cast<std::size_t>(act));
}

std::string_view name_of(KeptAct act) {
    constexpr std::array<std::string_view, 3> names{"hand_over", "tell_that_nothing_lacks", "drop"};
    return names.at(static_cast<std::size_t>(act));
}

bool SinceOver::for_long(bool are_over, TimeMs now) {
    if (!are_over) since_.reset();
    if (are_over && !since_) since_ = now;
    return since_ && now - *since_ >= engine::limits::lease_valid_ms;
}

// What is handed over while a pawl feeds the new index comes back, so that is done once more, at the end.
std::vector<KeptAct> acts_after_swap(const KeptFacts& facts) {
    const bool is_over = facts.are_over() && (facts.for_long || PAWL_PLANTED(kept_rows_dropped_at_once));
    std::vector<KeptAct> acts;
    if (!facts.are_over() || is_over) acts.push_back(KeptAct::hand_over);
    if (is_over && facts.nobody_feeds) acts.push_back(KeptAct::tell_that_nothing_lacks);
    if (is_over) acts.push_back(KeptAct::drop);
    plant(acts);
    return acts;
}

}  // namespace pawl::ops
