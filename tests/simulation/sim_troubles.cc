// Who writes to the simulated history, and what goes wrong while the faults last.
#include <algorithm>
#include <utility>

#include "tests/simulation/sim_world.h"

namespace pawl::simulation {
namespace {

constexpr TimeMs transaction_ms_max = 15'000;

RowKind any_kind(SimRandom& random, bool bad_ones) {
    if (bad_ones && random.percent(25)) {
        constexpr std::array bad{RowKind::refused, RowKind::poison, RowKind::oversized, RowKind::invalid};
        return bad[random.below(bad.size())];
    }
    return random.percent(35) ? RowKind::removed : RowKind::good;
}

std::string_view word_of(RowKind kind) {
    switch (kind) {
        case RowKind::good:
            return "";
        case RowKind::removed:
            return "(removed)";
        case RowKind::refused:
            return "(the index will refuse the document)";
        case RowKind::poison:
            return "(the index will refuse any request with it)";
        case RowKind::oversized:
            return "(too large)";
        case RowKind::invalid:
            return "(makes no document)";
    }
    return "";
}

}  // namespace

SimHistory::Transaction SimWorld::insert_rows() {
    SimHistory::Transaction transaction;
    const std::uint64_t rows = 1 + random_.below(3);
    for (std::uint64_t row = 0; row < rows; ++row) {
        const auto entity = static_cast<std::uint32_t>(random_.below(options_.entities));
        const RowKind kind = any_kind(random_, options_.has(Fault::bad_documents));
        if (history_.is_removed(entity) && kind == RowKind::good) ++tally_.re_added;
        transaction.push_back(history_.insert(entity, kind));
        trace_.say("writer", "inserts e{}@{} {}", entity, transaction.back(), word_of(kind));
    }
    return transaction;
}

void SimWorld::end_transaction(const SimHistory::Transaction& transaction, Fate fate) {
    const bool late = transaction.back() < history_.end_of_history();
    if (late && fate == Fate::committed) ++tally_.late_commits;
    history_.end(transaction, fate);
    for (const Revision revision : transaction)
        trace_.say("writer", "{} e{}@{}{}", fate == Fate::committed ? "commits" : "rolls back",
                   history_.row(revision).entity, revision, late ? ", late" : "");
}

void SimWorld::write() {
    if (transactions_left_ == 0) return;
    --transactions_left_;
    const auto transaction = insert_rows();
    const Fate fate = may_strike(Fault::rollbacks) && random_.percent(30) ? Fate::dead : Fate::committed;
    if (may_strike(Fault::late_commits)) {
        open_transactions_.push_back(transaction);
        clock_.after(random_.between(1, transaction_ms_max), [this, transaction, fate] {
            if (std::erase(open_transactions_, transaction) > 0) end_transaction(transaction, fate);
        });
    } else {
        end_transaction(transaction, fate);
    }
    clock_.after(random_.between(0, random_.percent(80) ? 100 : 3'000), [this] { write(); });
}

// What was there before the triggers were: no row of the outbox tells of it.
void SimWorld::fill_table() {
    for (std::uint32_t entity = 0; entity < options_.entities; ++entity) {
        if (random_.percent(40)) continue;
        RowKind kind = RowKind::removed;
        while (kind == RowKind::removed)
            kind = any_kind(random_, options_.has(Fault::bad_documents));
        outbox_->hold(entity, kind);
        trace_.say("writer", "has e{} in the table {}", entity, word_of(kind));
    }
}

void SimWorld::restart_source(TimeMs back_after) {
    if (outbox_ != nullptr) outbox_->roll_back_clean_ups();
    for (const auto& transaction : std::exchange(open_transactions_, {}))
        end_transaction(transaction, Fate::dead);
    ++weather_.source_restarts;
    lock_.restart();
    if (rebuild_) rebuild_->source_restarts();
    weather_.source_down_until = clock_.now() + back_after;
}

void SimWorld::restore_source() {
    restart_source(random_.between(10, 2'000));
    if (outbox_ != nullptr) {
        outbox_->restore(random_.below(outbox_->commits() + 1));
        trace_.say("source", "is restored from a backup: its ids end at {}", history_.end_of_history());
        return;
    }
    const Revision kept = random_.below(history_.rows().size() + 1);
    history_.restore_to(kept);
    trace_.say("source", "is restored from a backup: its history ends at {}", history_.end_of_history());
}

void SimWorld::strike() {
    if (weather_.calm || strikes_left_ == 0) return;
    --strikes_left_;
    SimHost& host = any_host();
    if (random_.percent(5) && host.has_process()) {
        trace_.say("world", "asks a pawl to stop");
        host.post(engine::StopAsked{});
    }
    const auto fault = static_cast<Fault>(random_.below(faults));
    if (options_.has(fault)) strike(fault, host);
    if (rebuild_ && random_.percent(30)) rebuild_->strike();
    clock_.after(random_.between(10, 1'500), [this] { strike(); });
}

void SimWorld::strike(Fault fault, SimHost& host) {
    const TimeMs now = clock_.now();
    const TimeMs long_enough =
        random_.percent(70) ? random_.between(10, 1'000) : random_.between(1'000, 3 * options_.gc_deletes_ms);
    trace_.say("world", "{}, for {} ms where that means anything", name_of(fault), long_enough);
    switch (fault) {
        case Fault::crashes:
            host.crash_soon(static_cast<std::uint32_t>(1 + random_.below(20)));
            break;
        case Fault::pauses:
            host.sleep_until(now + long_enough);
            break;
        case Fault::source_down:
            weather_.source_down_until = now + long_enough;
            break;
        case Fault::source_restarts:
            if (random_.percent(50)) restart_source(std::min<TimeMs>(long_enough, 2'000));
            break;
        case Fault::index_down:
            weather_.index_down_until = now + long_enough;
            break;
        case Fault::forbidden:
            weather_.forbidden_until = now + long_enough;
            break;
        case Fault::index_deleted:
            if (random_.percent(40)) cluster_.delete_index();
            break;
        case Fault::alias_moved:
            if (random_.percent(60)) break;
            cluster_.move_alias(random_.percent(70), now);
            break;
        case Fault::index_restored:
            if (random_.percent(60))
                cluster_.take_snapshot();
            else
                cluster_.restore_snapshot(now);
            break;
        case Fault::memory_erased:
            if (random_.percent(20)) cluster_.erase_memory();
            break;
        case Fault::source_restored:
            if (random_.percent(20)) restore_source();
            break;
        case Fault::journal_fails:
            host.next_commit(random_.percent(70) ? SimJournal::Disk::refuses
                                                 : SimJournal::Disk::takes_but_fails);
            break;
        case Fault::disk_full:
            host.disk_full_until(now + long_enough);
            break;
        case Fault::operator_retries: {
            if (random_.percent(20)) cluster_.mend_mapping();
            engine::RetryAsked asked;
            if (random_.percent(70))
                asked.entities.emplace_back(
                    history_.name_of(static_cast<std::uint32_t>(random_.below(options_.entities))));
            host.post(std::move(asked));
            break;
        }
        case Fault::late_commits:
        case Fault::rollbacks:
        case Fault::lost_answers:
        case Fault::overload:
        case Fault::too_large:
        case Fault::bad_documents:
        case Fault::source_breaks:
        case Fault::duplicates:
        case Fault::second_pawl:
        case Fault::short_pages:
        case Fault::no_proofs:
        case Fault::count_of_them:
            break;  // these happen to writers, requests and reads by themselves
    }
}

}  // namespace pawl::simulation
