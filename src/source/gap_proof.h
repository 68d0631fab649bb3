// Proves that revisions which nobody can see will never be seen: that their transactions have ended.
//
// One packet holds four statements, and the server runs them without waiting for us:
//
//   SELECT MAX(revision)        `through`, from a snapshot of its own
//   LOCK TABLES … READ NOWAIT   fails while a transaction that has written to the table is open
//   UNLOCK TABLES
//   XA RECOVER FORMAT='SQL'     prepared transactions, which may hold no lock
//
// Why that is a proof. A writer takes the table's metadata lock before it is given a revision and keeps it
// until its COMMIT is visible or its ROLLBACK is done: when its client is killed or gone, too. Revisions are
// handed out in rising order (AUTO_INCREMENT), so each one at or below MAX had its writer before MAX was
// read; the lock, taken after that, shows that this writer has ended. So MAX must come first: a writer may
// begin and commit between the lock and a later MAX, and raise it above the revision of one that is still
// open. MAX is of committed rows, not the AUTO_INCREMENT counter: the counter can be set back
// over revisions that were rolled back (ALTER TABLE … AUTO_INCREMENT), which are then handed out again; it
// cannot be set back below MAX.
//
// Why XA RECOVER, and why last. A transaction that is PREPAREd keeps its rows' locks when its client goes, or
// the server dies and comes back, but not its metadata lock (seen on 10.11): LOCK TABLES succeeds, and the
// transaction may commit years later. It is then in XA RECOVER's list, and stays there until its rows are
// visible. While any is listed nothing is proven: the list does not say which tables it has written to. The
// list must be read after the lock: what is not in it by then was detached and has ended, or was connected
// and met the lock. A transaction that is prepared and ends in between is seen by later snapshots.
//
// Why no writer ever waits. NOWAIT does not queue, and the lock is gone before we hear of it: whatever
// happens to us or to the network, the server is at most a few microseconds from UNLOCK TABLES. The session's
// lock_wait_timeout is 0, so that neither statement waits behind an ALTER TABLE or another's LOCK TABLES.
//
// What it does not cover: a row that is inserted with a revision of its writer's own choice (or brought by
// EXCHANGE PARTITION) below MAX. And on a Galera node or a replica it would prove nothing, so each proof
// looks at the server's role as it is then.
#pragma once

#include <array>
#include <optional>
#include <string>

#include "config/config.h"
#include "engine/request.h"
#include "source/connection.h"
#include "source/interrupt.h"

namespace pawl::source {

// Of one pipeline; one thread at a time.
class GapProof {
  public:
    // Connects at the first try, with a connection of its own. `interrupt` must outlive the proof and belong
    // to it alone; triggering it ends a try at once.
    GapProof(config::MariaDb settings, const config::Pipeline& pipeline, Interrupt& interrupt);

    // Never waits for a lock. After `not_allowed` and after an error the connection is closed, so that the
    // next try sees a new GRANT or a server that has come back. Errors: unavailable, also when the server
    // ended the packet in the middle; forbidden without SELECT on the table; invalid on a Galera node or a
    // replica, or when the table is gone.
    Result<engine::Proof> try_prove();

    // Which server the last answer came from (server_identity).
    const std::string& server() const { return server_; }

    // The open connection between two tries, for other uses, where it leads to this server; else null.
    Connection* connection_to(const std::string& server) {
        return connection_ && connection_->is_open() && server_ == server ? &*connection_ : nullptr;
    }

    void close() { connection_.reset(); }

  private:
    Result<void> connect();
    Result<engine::Proof> look();
    Result<engine::Proof> judge(const Connection::Answers& answers);
    Result<engine::Proof> judge_failure(const Connection::Answers& answers) const;

    const config::MariaDb settings_;
    const std::string table_;  // "karp.lex"
    Interrupt& interrupt_;
    std::array<std::string, 4> statements_;
    std::optional<Connection> connection_;
    std::string server_;
};

}  // namespace pawl::source
