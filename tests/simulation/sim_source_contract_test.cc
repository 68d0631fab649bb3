// The simulated history keeps to the contract of all sources, as MariaDB does: what the simulation shows is
// worth no more than that.
#include <algorithm>
#include <catch2/catch.hpp>
#include <utility>

#include <fmt/core.h>

#include "tests/contract/outbox_contract.h"
#include "tests/contract/source_contract.h"
#include "tests/simulation/sim_ports.h"
#include "tests/simulation/sim_versions.h"

using namespace pawl;
using namespace pawl::simulation;

namespace {

// Table: SimHistory, or SimOutbox.
template <class Table>
class SimSourceWorld {
  public:
    class Transaction {
      public:
        explicit Transaction(SimSourceWorld& world) : world_(world) {}
        Revision put(const std::string& entity, const std::string& body) {
            return insert(entity, body.starts_with('{') ? RowKind::good : RowKind::invalid);
        }
        Revision remove(const std::string& entity) { return insert(entity, RowKind::removed); }
        void commit() { end(Fate::committed); }
        void roll_back() { end(Fate::dead); }

      private:
        Revision insert(const std::string& entity, RowKind kind) {
            rows_.push_back(world_.history_.insert(world_.number_of(entity), kind));
            return rows_.back();
        }
        void end(Fate fate) { world_.history_.end(std::exchange(rows_, {}), fate); }

        SimSourceWorld& world_;
        SimHistory::Transaction rows_;
    };

    engine::Event next() {
        while (inbox_->empty()) {
            REQUIRE(clock_.next_time().has_value());
            clock_.advance_to(*clock_.next_time());
            clock_.do_next();
        }
        engine::Event event = std::move(inbox_->front().event);
        inbox_->erase(inbox_->begin());
        return event;
    }
    std::unique_ptr<engine::SourcePort> make_source() {
        return std::make_unique<SimSource>(
            SimParts{{options_, clock_, random_, history_, outbox(), cluster_, lock_, weather_, trace_},
                     checks_,
                     fuse_},
            inbox_);
    }
    Transaction begin() { return Transaction(*this); }
    void hold(const std::string& entity, const std::string&) {
        history_.hold(number_of(entity), RowKind::good);
    }
    std::string entity(const engine::Row& row) const { return names_.at(SimHistory::entity_of(row.entity)); }
    // An outbox's documents are told apart by what was committed when; here the latest one is meant.
    std::string document(const std::string&, Revision revision) {
        if (outbox() == nullptr) return fmt::format("{{\"r\":{}}}", revision);
        std::uint64_t newest = 0;
        for (std::uint32_t entity = 0; entity < names_.size(); ++entity)
            newest = std::max(newest, outbox()->present(entity).content);
        return fmt::format("{{\"c\":{}}}", newest);
    }

  private:
    SimOutbox* outbox() { return dynamic_cast<SimOutbox*>(static_cast<SimHistory*>(&history_)); }
    // The history knows entities by number.
    std::uint32_t number_of(const std::string& entity) {
        const auto found = std::find(names_.begin(), names_.end(), entity);
        const auto number = static_cast<std::uint32_t>(found - names_.begin());
        if (found == names_.end()) names_.push_back(entity);
        return number;
    }

    SimOptions options_;
    SimClock clock_{1'000'000};
    SimRandom random_{1};
    Table history_{10};
    SimCluster cluster_{history_, 10'000};
    SimLock lock_;
    SimVersions versions_{false};
    SimJournal journal_;
    SimChecks checks_{options_, {history_, cluster_, versions_}, journal_};
    SimTrace trace_{clock_};
    SimFuse fuse_{trace_};
    SimWeather weather_;
    std::shared_ptr<SimInbox> inbox_ = std::make_shared<SimInbox>();
    std::vector<std::string> names_;
};

}  // namespace

#define CONTRACT_CASE(name)                 \
    TEST_CASE("contract: " #name) {         \
        SimSourceWorld<SimHistory> world;   \
        test::source_contract::name(world); \
    }
#define OUTBOX_CASE(name)                        \
    TEST_CASE("contract of an outbox: " #name) { \
        SimSourceWorld<SimOutbox> world;         \
        test::outbox_contract::name(world);      \
    }

CONTRACT_CASE(the_end_of_the_history_is_known_at_start)
CONTRACT_CASE(rows_come_in_rising_order_with_their_documents)
CONTRACT_CASE(an_open_transaction_is_a_gap_that_a_late_commit_fills)
CONTRACT_CASE(a_rolled_back_row_is_never_seen)
CONTRACT_CASE(a_cut_page_says_how_far_it_reaches)
CONTRACT_CASE(the_latest_row_of_an_entity_may_lie_beyond_what_was_asked_for)
CONTRACT_CASE(an_entity_is_its_bytes)
CONTRACT_CASE(a_document_that_is_none_is_an_invalid_row)
CONTRACT_CASE(reads_are_answered_in_the_order_they_were_asked)
CONTRACT_CASE(an_open_transaction_keeps_a_proof_from_being_given)
CONTRACT_CASE(a_proof_reaches_to_the_highest_committed_revision)
CONTRACT_CASE(a_revision_that_is_handed_out_after_a_proof_is_not_covered)
CONTRACT_CASE(a_rows_digest_stays_and_no_two_rows_have_the_same)
CONTRACT_CASE(a_row_can_be_looked_at_beside_those_that_are_read)
CONTRACT_CASE(a_version_is_known_when_it_is_a_row_of_that_entity)
CONTRACT_CASE(a_fill_gives_each_entitys_latest_row_and_has_seen_all)
CONTRACT_CASE(a_fill_keeps_entities_apart_that_the_collation_takes_for_one)

OUTBOX_CASE(the_end_of_an_outbox_that_went_back_stays_where_it_is)
OUTBOX_CASE(the_end_is_no_id_below_those_before_and_below_all_that_come)
OUTBOX_CASE(an_entity_comes_once_with_its_highest_id_and_as_it_is_now)
OUTBOX_CASE(an_id_beyond_the_page_is_not_its_version)
OUTBOX_CASE(an_entity_that_is_gone_is_removed_and_one_without_document_is_invalid)
OUTBOX_CASE(what_is_not_committed_is_not_seen)
OUTBOX_CASE(the_table_comes_in_pages_without_revisions)
OUTBOX_CASE(what_is_done_is_deleted_and_nothing_else)
OUTBOX_CASE(a_renewed_row_has_an_id_above_all_others)
OUTBOX_CASE(an_entity_can_be_given_a_row)
OUTBOX_CASE(late_rows_are_renewed_lowest_first)
OUTBOX_CASE(a_version_is_known_when_it_was_handed_out)
