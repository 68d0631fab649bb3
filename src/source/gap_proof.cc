#include "source/gap_proof.h"

#include <fmt/format.h>

#include <utility>

#include "base/assert.h"
#include "base/failpoint.h"
#include "source/server_error.h"
#include "source/server_role.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

using engine::Proof;
using Outcome = Proof::Outcome;

// The statements of the packet, by their place in it.
enum : std::size_t { max_statement, lock_statement, unlock_statement, recover_statement };

constexpr std::size_t xa_name_column = 3;  // of XA RECOVER FORMAT='SQL': as XA COMMIT takes it

std::array<std::string, 4> statements_for(const config::MariaDb& settings, const config::Source& source) {
    const std::string table = table_identifier(settings.database, source.table);
    const std::string revision = identifier(source.revision);
    return {fmt::format("SELECT MAX({0}) FROM {1} WHERE {0} BETWEEN 1 AND {2}", revision, table,
                        journal::revision_max),
            fmt::format("LOCK TABLES {} READ NOWAIT", table), "UNLOCK TABLES", "XA RECOVER FORMAT='SQL'"};
}

Proof not_proven(Outcome outcome, std::string reason) {
    return {.outcome = outcome, .through = 0, .reason = std::move(reason)};
}

}  // namespace

GapProof::GapProof(config::MariaDb settings, const config::Pipeline& pipeline, Interrupt& interrupt)
    : settings_(std::move(settings)),
      table_(fmt::format("{}.{}", settings_.database, pipeline.source.table)),
      interrupt_(interrupt),
      statements_(statements_for(settings_, pipeline.source)) {}

Result<Proof> GapProof::try_prove() {
    auto proof = look();
    if (!proof || proof->outcome == Outcome::not_allowed) connection_.reset();
    return proof;
}

Result<void> GapProof::connect() {
    if (connection_ && connection_->is_open()) return {};
    connection_.reset();
    auto opened = Connection::open(settings_, interrupt_);
    if (!opened) return std::unexpected(std::move(opened.error()));
    connection_.emplace(std::move(*opened));
    auto identity = server_identity(*connection_);
    if (!identity) return std::unexpected(std::move(identity.error()));
    server_ = std::move(*identity);
    return connection_->execute("SET SESSION lock_wait_timeout = 0");
}

Result<Proof> GapProof::look() {
    if (auto done = connect(); !done) return std::unexpected(std::move(done.error()));
    failpoint::at("before:prove");
    const auto answers = connection_->together(statements_);
    failpoint::at("after:prove");
    if (!answers) return std::unexpected(answers.error());
    return answers->error ? judge_failure(*answers) : judge(*answers);
}

Result<Proof> GapProof::judge(const Connection::Answers& answers) {
    PAWL_ASSERT(answers.rows.size() == statements_.size());
    const auto& prepared = answers.rows[recover_statement];
    if (!prepared.empty()) {
        return not_proven(
            Outcome::busy,
            fmt::format("{} prepared XA transactions are open on the server and may have written "
                        "to {}, such as {}; XA COMMIT or XA ROLLBACK those that were forgotten",
                        prepared.size(), table_, prepared.front().at(xa_name_column).value_or("")));
    }
    const auto role = server_role(*connection_);
    if (!role) return std::unexpected(role.error());
    if (auto reason = why_writers_are_hidden(*role, connection_->place()))
        return std::unexpected(std::move(*reason));
    if (role->may_be_replica())
        return not_proven(
            Outcome::not_allowed,
            fmt::format(
                "the server is read-only and may be a replica, and the user {} may not see its replica "
                "status: GRANT SLAVE MONITOR ON *.* to it",
                settings_.user));
    const auto& highest = answers.rows[max_statement].at(0).at(0);
    return Proof{.outcome = Outcome::proven, .through = highest ? revision_in(*highest) : 0};
}

Result<Proof> GapProof::judge_failure(const Connection::Answers& answers) const {
    const std::size_t failed = answers.rows.size();
    if (failed <= lock_statement && answers.number == server_error_lock_wait)
        return not_proven(
            Outcome::busy,
            fmt::format("a transaction that has written to {} is open, or the table is locked or altered",
                        table_));
    if (failed == lock_statement && answers.error->kind == ErrorKind::forbidden)
        return not_proven(Outcome::not_allowed,
                          fmt::format("the user {} may not LOCK TABLES: GRANT LOCK TABLES ON {}.* to it",
                                      settings_.user, identifier(settings_.database)));
    // Whatever it is, a lock may have been left behind: the connection's end gives it back.
    return std::unexpected(*answers.error);
}

}  // namespace pawl::source
