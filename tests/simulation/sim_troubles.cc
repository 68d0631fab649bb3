// Who writes to the simulated history, and what goes wrong while the faults last.
#include <algorithm>
#include <utility>

#include "tests/simulation/sim_process.h"
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

}  // namespace

SimHistory::Transaction SimWorld::insert_rows() {
    SimHistory::Transaction transaction;
    const std::uint64_t rows = 1 + random_.below(3);
    for (std::uint64_t row = 0; row < rows; ++row)
        transaction.push_back(history_.insert(static_cast<std::uint32_t>(random_.below(options_.entities)),
                                              any_kind(random_, options_.has(Fault::bad_documents))));
    return transaction;
}

void SimWorld::write() {
    if (transactions_left_ == 0) return;
    --transactions_left_;
    const auto transaction = insert_rows();
    const Fate fate = may_strike(Fault::rollbacks) && random_.percent(30) ? Fate::dead : Fate::committed;
    if (may_strike(Fault::late_commits)) {
        open_transactions_.push_back(transaction);
        clock_.after(random_.between(1, transaction_ms_max), [this, transaction, fate] {
            if (std::erase(open_transactions_, transaction) > 0) history_.end(transaction, fate);
        });
    } else {
        history_.end(transaction, fate);
    }
    clock_.after(random_.between(0, random_.percent(80) ? 100 : 3'000), [this] { write(); });
}

void SimWorld::strike() {
    if (weather_.calm) return;
    if (random_.percent(5) && process_) {
        process_->stop_asked = true;
        process_->inbox->push_back({0, engine::StopAsked{}});
    }
    const auto fault = static_cast<Fault>(random_.below(faults));
    if (options_.has(fault)) strike(fault);
    clock_.after(random_.between(10, 1'500), [this] { strike(); });
}

void SimWorld::strike(Fault fault) {
    const TimeMs now = clock_.now();
    const TimeMs long_enough =
        random_.percent(70) ? random_.between(10, 1'000) : random_.between(1'000, 3 * options_.gc_deletes_ms);
    switch (fault) {
        case Fault::crashes:
            weather_.points_to_live = static_cast<std::uint32_t>(1 + random_.below(12));
            break;
        case Fault::pauses:
            sleeps_until_ = now + long_enough;
            break;
        case Fault::source_down:
            weather_.source_down_until = now + long_enough;
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
            if (process_) ++tally_.crashes;
            end_process(random_.between(0, 500));
            cluster_.move_alias(random_.percent(70), now);
            break;
        case Fault::journal_fails:
            journal_fails_next_ = true;
            break;
        case Fault::operator_retries: {
            if (random_.percent(20)) cluster_.mend_mapping();
            if (!process_) break;
            engine::RetryAsked asked;
            if (random_.percent(70))
                asked.entities.emplace_back(
                    history_.name_of(static_cast<std::uint32_t>(random_.below(options_.entities))));
            process_->inbox->push_back({0, std::move(asked)});
            break;
        }
        case Fault::late_commits:
        case Fault::rollbacks:
        case Fault::lost_answers:
        case Fault::overload:
        case Fault::too_large:
        case Fault::bad_documents:
        case Fault::short_pages:
        case Fault::no_proofs:
        case Fault::count_of_them:
            break;  // these happen to writers, requests and reads by themselves
    }
}

}  // namespace pawl::simulation
