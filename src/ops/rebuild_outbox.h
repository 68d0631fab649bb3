// What a rebuild does in MariaDB in outbox mode.
//
// There is no history: of a row that the live index's daemon deletes from the outbox, nobody would ever tell
// the new index. So a rebuild makes a table like the outbox, `<outbox>_rebuild`; while it is there, every
// clean-up copies into it what it deletes (source/outbox_clean_up.h). For the rebuild that table is the
// outbox: the same engine fills the new index from the table, and catches up from these rows, with ids of
// their own. The new index says so in `_meta.pawl`, under the name of the real outbox, and which index it
// replaces, so that the daemon takes it up. What is still in the table after the swap goes back into the
// outbox, as new rows.
#pragma once

#include "base/error.h"
#include "config/config.h"
#include "source/connection.h"
#include "source/interrupt.h"
#include "source/outbox_clean_up.h"

namespace pawl::ops {

// The pipeline as the rebuild feeds it; in revision mode as it is.
config::Pipeline with_kept_outbox(config::Pipeline pipeline);

// On a connection of its own, one thread. Any error ends its use.
class RebuildOutbox {
  public:
    // Connects. `interrupt` must outlive it.
    static Result<RebuildOutbox> open(const config::Config& config, const config::Pipeline& pipeline,
                                      source::Interrupt& interrupt);

    // The pipeline's lease, until the end: nobody deletes rows from the outbox. False: a pawl has it.
    Result<bool> take_lease();
    // That of the rebuild, whose outbox is the table that it makes. False: another rebuild has it, perhaps
    // one of another alias that has the same outbox.
    Result<bool> take_own_lease();

    Result<bool> is_there();
    // Its ids begin above those of the outbox.
    Result<void> make_anew();
    Result<void> drop();

    // Before the swap: ids of the outbox will be above all versions in the new index, and above this one.
    Result<void> raise_ids(engine::Revision known);
    // After it: moves all rows that are there by now into the outbox. None where the table is not there.
    Result<void> hand_over();
    // Above all ids of the outbox that were handed out before.
    Result<engine::Revision> take_id();

  private:
    RebuildOutbox(config::MariaDb settings, config::Pipeline pipeline, source::Connection connection)
        : settings_(std::move(settings)),
          pipeline_(std::move(pipeline)),
          kept_(with_kept_outbox(pipeline_)),
          connection_(std::move(connection)) {}
    Result<void> begin_above_outbox();
    Result<source::OutboxCleanUp> cleaner_of(const config::Pipeline& pipeline);
    std::string kept_name() const;
    Error with_advice(Error error) const;

    config::MariaDb settings_;
    config::Pipeline pipeline_;
    config::Pipeline kept_;
    source::Connection connection_;
};

}  // namespace pawl::ops
