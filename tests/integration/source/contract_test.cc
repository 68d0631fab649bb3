// MariaDB keeps to the contract of all sources.
#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "source/mariadb_source.h"
#include "tests/contract/source_contract.h"
#include "tests/integration/source/world.h"

using namespace pawl;
using namespace pawl::test;

namespace {

class MariaDbWorld {
  public:
    class Transaction {
      public:
        explicit Transaction(const config::MariaDb& settings) : writer_(settings) {
            writer_.execute("START TRANSACTION");
        }
        engine::Revision put(const std::string& entity, const std::string& body) {
            return insert(entity, body, 0);
        }
        engine::Revision remove(const std::string& entity) { return insert(entity, "{}", 1); }
        void commit() { writer_.execute("COMMIT"); }
        void roll_back() { writer_.execute("ROLLBACK"); }

      private:
        engine::Revision insert(const std::string& entity, const std::string& body, int discarded) {
            auto& connection = writer_.connection();
            writer_.execute(
                fmt::format("INSERT INTO history (entity_id, body, discarded) VALUES ({}, {}, {})",
                            connection.quoted(entity), connection.quoted(body), discarded));
            return std::stoull(connection.rows("SELECT LAST_INSERT_ID()")->at(0).at(0).value());
        }

        Writer writer_;
    };

    MariaDbWorld() { database_.make_history(); }
    engine::Inbox& inbox() { return inbox_; }
    engine::Event next() { return inbox_.next(); }
    std::unique_ptr<engine::SourcePort> make_source() {
        return std::make_unique<source::MariaDbSource>(database_.settings(), TestDatabase::pipeline(),
                                                       inbox_);
    }
    Transaction begin() { return Transaction(database_.settings()); }
    static std::string entity(const engine::Row& row) { return std::string(row.entity); }
    static std::string document(const std::string& body, engine::Revision) { return body; }

  private:
    TestDatabase database_;
    CollectingInbox inbox_;
};

}  // namespace

#define CONTRACT_CASE(name)           \
    TEST_CASE("contract: " #name) {   \
        MariaDbWorld world;           \
        source_contract::name(world); \
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
