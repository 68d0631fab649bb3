#include "tests/simulation/sim_connection.h"

namespace pawl::simulation {

SimConnection::~SimConnection() {
    if (hand_over_) {
        hand_over_->from.roll_back(hand_over_->taken);
        hand_over_->to.roll_back(hand_over_->given);
    }
    if (lock_ != nullptr && world_.random.percent(80)) close();
}

bool SimConnection::take_lease(SimLock& lock) {
    if (lock_ == nullptr) session_ = lock.connect();
    lock_ = &lock;
    const auto outcome = lock.ask(session_, world_.clock.now());
    return outcome && *outcome != engine::Lease::Outcome::taken;
}

void SimConnection::keep_alive() {
    if (lock_ != nullptr && lock_->is_held_by(session_)) lock_->ask(session_, world_.clock.now());
}

void SimConnection::close() {
    if (lock_ != nullptr) lock_->close(session_);
    lock_ = nullptr;
}

bool SimConnection::begin_hand_over(SimKeptRows& from, SimOutbox& to, Revision through,
                                    std::size_t rows_max) {
    engine::CleanUpRequest take;
    engine::CleanUpRequest give;
    for (const Revision revision : from.rows_there()) {
        if (revision > through || give.entities.size() == rows_max) break;
        take.done.insert(revision);
        give.entities.emplace_back(from.name_of(from.row(revision).entity));
    }
    if (give.entities.empty()) return false;
    hand_over_.emplace(HandOver{from, to, from.begin_clean_up(take), to.begin_clean_up(give)});
    return true;
}

bool SimConnection::commit_hand_over() {
    const HandOver done = *std::exchange(hand_over_, std::nullopt);
    return done.from.end_clean_up(done.taken).has_value() && done.to.end_clean_up(done.given).has_value();
}

}  // namespace pawl::simulation
