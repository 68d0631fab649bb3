// An operator who has a new index built beside the live one: `pawl rebuild`, called again until it is done.
// What is next and in which order is ops/rebuild_plan.h's; filling and catching up is the real engine behind
// the rebuild's alias, with a journal and a lease of its own. What an act asks of the server may be lost, or
// arrive when the call that asked is dead. With an outbox it keeps rows (src/ops/rebuild_outbox.h).
//
// Not the real thing here: the comparison, which looks at each entity instead of sums over many
// (tests/property/verify/ has that), and the shape of documents.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "ops/rebuild_plan.h"
#include "tests/simulation/sim_connection.h"
#include "tests/simulation/sim_host.h"
#include "tests/simulation/sim_rebuild_reader.h"

namespace pawl::simulation {

// Lives as long as its world; its parts point into it.
class SimRebuild final : private engine::Observer {
  public:
    struct Watched {
        const SimHistory& history;
        SimVersions& versions;
        SimKeptRows* kept;  // null: there is no outbox
    };
    // `live`: what the daemons share.
    SimRebuild(SimShared live, Watched watched, SimTally& tally);
    ~SimRebuild() override;
    SimRebuild(const SimRebuild&) = delete;
    SimRebuild& operator=(const SimRebuild&) = delete;

    // As SimHost's.
    std::optional<TimeMs> next_due() const;
    bool run();

    // After every step. Throws Violation.
    void after_step();
    // No rebuild is under way, and none will come.
    bool is_over() const { return rebuilds_left_ == 0; }

    // Some fault strikes it: a sudden death, a signal, a node of the server that dies.
    void strike();
    void source_restarts() { lock_.restart(); }
    void calm_down();

  private:
    // What the journal's folder holds.
    struct Folder {
        explicit Folder(std::uint32_t with_config) : config(with_config) {}
        std::uint32_t config;
        SimJournal journal;
        std::unique_ptr<SimChecks> checks;
    };
    // One request of an act: to the index, to MariaDB, or to wait.
    struct Ask {
        std::string_view name;
        std::function<void()> begin;
    };
    enum class Sql : std::uint8_t { done, fails, waits };
    // What an act of the outbox has found so far.
    struct Found {
        Revision ids = 0;       // that are known, or through which rows are handed over
        Revision taken_id = 0;  // of the outbox, the last one
        std::optional<engine::Remembered> remembered;  // by the new index
        ops::KeptFacts facts;
        int looks = 0;
        ops::SinceOver over;
        bool is_let_go = false;
    };
    // One life of the command.
    struct Call {
        std::vector<ops::RebuildAct> acts;
        std::size_t at = 0;
        std::string live;   // the UUID of the index that is to be replaced
        std::string fresh;  // and of the one that is filled
        std::unique_ptr<SimProcess> feeding;
        std::optional<bool> answer;  // to the act at hand: whether it is done
        bool stop_asked = false;
        std::deque<Ask> asks;  // left of the act at hand
        std::shared_ptr<SimConnection> connection;
        Found found;
        // What a reader of the new index must find there at least: all that the live one had when it had been
        // compared, or filled. Empty: not so far yet.
        std::optional<std::vector<Stored>> must_hold;
    };
    using Journaled = std::span<const journal::Change>;

    // sim_rebuild.cc: the course of a call
    void start_call();
    bool operator_gives_up(ops::RebuildStep step);
    void end_call(TimeMs pause);
    void next_act();
    void end_act();
    void finish();
    bool server_answers();
    ops::RebuildIndexFact index_fact() const;
    ops::RebuildFolderFact folder_fact() const;

    // sim_rebuild_acts.cc: what each does
    void begin_act(ops::RebuildAct act);
    void ask(std::function<bool()> effect);
    bool delete_beside(const std::string& live, const std::string& uuid);
    bool is_as_it_was() const;
    void swap();
    void move_alias(std::uint64_t permit);
    void feed(const engine::IntervalSet& repairs = {});
    void feed_on();
    void end_feed();
    void compare();
    engine::IntervalSet differing() const;
    void make_folder();

    // sim_rebuild_outbox.cc: the acts of one with an outbox, and what they ask
    bool has_outbox() const { return kept_ != nullptr; }
    void take(std::vector<Ask> asks);
    void begin_ask();
    void ask_source(std::function<Sql()> effect);
    void carry_out(std::function<Sql()> effect, bool is_lost, TimeMs deadline,
                   const std::shared_ptr<SimConnection>& connection, const std::weak_ptr<Call>& asker);
    Sql drop_kept();
    void take_id();
    void raise_kept_ids();
    void keep_rows();
    void raise_ids();
    void tell_replaced();
    void give_rows_back();
    void look_after_swap();
    void let_go();
    void begin_kept_act(ops::KeptAct act);
    void hand_over();
    void tell_that_nothing_lacks();
    void give_up();
    std::vector<std::string> differing_entities() const;
    void compare_with_table();

    void notice(const std::string&, const engine::Notice& notice) override;
    void recovered(const std::string&, const engine::ReportRecovery& report) override;
    void finished(const std::string&, const engine::Finish& finish) override;

    SimCluster& live_;
    SimLock& live_lock_;
    SimOutbox* outbox_;  // of the pipeline
    SimKeptRows* kept_;  // null: there is no outbox
    SimCluster fresh_;
    SimLock lock_;
    SimShared world_;  // with the rebuild's alias and lease
    SimVersions& versions_;
    SimTally& tally_;
    SimRebuildReader reader_;
    SimFuse fuse_;
    std::unique_ptr<Folder> folder_;
    std::shared_ptr<Call> call_;  // answers that come later than its death find nobody
    TimeMs starts_at_;            // the next call
    std::uint64_t rebuilds_left_;
    bool must_give_up_ = false;  // the last call has said so
    bool drops_old_;
    std::uint32_t config_ = 1;                                    // another one: with another mapping
    std::map<std::string, std::uint32_t, std::less<>> made_for_;  // config of each index, by UUID
};

}  // namespace pawl::simulation
