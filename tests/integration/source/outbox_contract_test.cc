// MariaDB keeps to the contract of all sources in outbox mode. The tests write the outbox themselves, as an
// application may.
#include "tests/contract/outbox_contract.h"

#include <fmt/format.h>

#include <catch2/catch.hpp>

#include "source/mariadb_source.h"
#include "tests/integration/source/outbox_world.h"

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
            writer_.execute(fmt::format("REPLACE INTO lex VALUES ({}, {})", quoted(entity), quoted(body)));
            return change(entity);
        }
        engine::Revision remove(const std::string& entity) {
            writer_.execute(fmt::format("DELETE FROM lex WHERE id = {}", quoted(entity)));
            return change(entity);
        }
        void commit() { writer_.execute("COMMIT"); }
        void roll_back() { writer_.execute("ROLLBACK"); }

      private:
        std::string quoted(const std::string& text) { return writer_.connection().quoted(text); }
        engine::Revision change(const std::string& entity) {
            writer_.execute(fmt::format("INSERT INTO changed (entity) VALUES ({})", quoted(entity)));
            return std::stoull(writer_.connection().rows("SELECT LAST_INSERT_ID()")->at(0).at(0).value());
        }

        Writer writer_;
    };

    engine::Event next() { return inbox_.next(); }
    std::unique_ptr<engine::SourcePort> make_source() {
        return std::make_unique<source::MariaDbSource>(world_.settings(), world_.pipeline(), inbox_);
    }
    Transaction begin() { return Transaction(world_.settings()); }
    void hold(const std::string& entity, const std::string& body) {
        world_.database().execute(fmt::format("INSERT INTO lex VALUES ({}, {})",
                                              world_.connection().quoted(entity),
                                              world_.connection().quoted(body)));
    }
    static std::string entity(const engine::Row& row) { return std::string(row.entity); }
    static std::string document(const std::string& body, engine::Revision) { return body; }

  private:
    OutboxWorld world_;
    CollectingInbox inbox_;
};

}  // namespace

#define OUTBOX_CASE(name)                        \
    TEST_CASE("contract of an outbox: " #name) { \
        MariaDbWorld world;                      \
        outbox_contract::name(world);            \
    }

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
