#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <tuple>

#include <catch2/catch.hpp>

#include "engine/limits.h"
#include "ops/rebuild_folder.h"
#include "ops/rebuild_plan.h"

using namespace pawl;
using namespace pawl::ops;
namespace fs = std::filesystem;

namespace {

struct Folder {
    Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
    ~Folder() { fs::remove_all(path); }
    std::string path = "/tmp/pawl-rebuild-XXXXXX";
};

config::Config in(const Folder& folder) {
    config::Config config;
    config.journal.path = fs::path(folder.path) / "journal";
    config.mariadb.database = "karp";
    return config;
}

config::Pipeline lex(const std::string& create_body = "{}") {
    config::Pipeline pipeline;
    pipeline.name = "lex";
    pipeline.index = {"lex", "lex.index.json", create_body};
    return pipeline;
}

}  // namespace

TEST_CASE("what a rebuild does next, for each place where an earlier one may have stopped") {
    using Index = RebuildIndexFact;
    using Kept = RebuildFolderFact;
    const std::vector<std::tuple<Index, Kept, RebuildStep>> table{
        {Index::none, Kept::none, RebuildStep::begin},
        {Index::none, Kept::same, RebuildStep::begin},
        {Index::none, Kept::other, RebuildStep::begin},
        {Index::filling, Kept::none, RebuildStep::refuse},
        {Index::filling, Kept::same, RebuildStep::resume},
        {Index::filling, Kept::other, RebuildStep::restart},
        {Index::swapped, Kept::none, RebuildStep::conclude},
        {Index::swapped, Kept::same, RebuildStep::conclude},
        {Index::swapped, Kept::other, RebuildStep::conclude},
    };
    for (const auto& [index, folder, step] : table)
        CHECK(name_of(next_step(index, folder)) == name_of(step));
}

TEST_CASE("where its kept rows are gone, a rebuild does not go on, but begins anew") {
    using enum RebuildStep;
    for (const auto step : {begin, resume, restart, conclude, refuse}) {
        CHECK(with_kept_rows(step, true) == step);
        CHECK(with_kept_rows(step, false) == (step == resume ? restart : step));
    }
}

TEST_CASE("kept rows are handed over at each look, and dropped when nobody deletes rows for the old index") {
    using enum KeptAct;
    CHECK(acts_after_swap({}) == std::vector{hand_over});
    // Somebody may still count on a lease that is lost.
    CHECK(acts_after_swap({.is_taken_up = true}).empty());
    CHECK(acts_after_swap({.nobody_feeds = true}).empty());
    CHECK(acts_after_swap({.is_taken_up = true, .for_long = true}) == std::vector{hand_over, drop});
    CHECK(acts_after_swap({.nobody_feeds = true, .for_long = true}) ==
          std::vector{hand_over, tell_that_nothing_lacks, drop});
    CHECK(name_of(hand_over) == "hand_over");
    CHECK(name_of(drop) == "drop");
}

TEST_CASE("it is for long when it has been so at each look for as long as a lost lease may be counted on") {
    constexpr pawl::TimeMs valid = pawl::engine::limits::lease_valid_ms;
    SinceOver over;
    CHECK_FALSE(over.for_long(false, 1));
    CHECK_FALSE(over.begun());
    CHECK_FALSE(over.for_long(true, 2));
    CHECK(over.begun());
    CHECK_FALSE(over.for_long(true, 1 + valid));
    CHECK(over.for_long(true, 2 + valid));
    CHECK_FALSE(over.for_long(false, 3 + valid));
    CHECK_FALSE(over.for_long(true, 4 + valid));
    CHECK(over.for_long(true, 4 + 2 * valid));
    over.forget();
    CHECK_FALSE(over.for_long(true, 5 + 2 * valid));
}

TEST_CASE("each step enters the same order of acts, at its place") {
    using enum RebuildAct;
    const std::vector all{
        delete_half_filled,   clear_folder, keep_rows,     fill, finish_loading, compare,
        catch_up_before_swap, raise_ids,    tell_replaced, swap, drop_old,       catch_up_after_swap,
        clear_folder,         forget};
    const auto of_outbox = [](RebuildStep step) { return acts_of(step, HasOutbox::yes); };
    CHECK(of_outbox(RebuildStep::restart) == all);
    CHECK(of_outbox(RebuildStep::begin) == std::vector(all.begin() + 1, all.end()));
    CHECK(of_outbox(RebuildStep::resume) == std::vector(all.begin() + 2, all.end()));
    CHECK(of_outbox(RebuildStep::conclude) == std::vector(all.begin() + 11, all.end()));
    CHECK(of_outbox(RebuildStep::refuse).empty());
    for (const auto step : {RebuildStep::restart, RebuildStep::begin, RebuildStep::resume,
                            RebuildStep::conclude, RebuildStep::refuse}) {
        auto without = of_outbox(step);
        std::erase_if(without, [](RebuildAct act) {
            return act == keep_rows || act == raise_ids || act == tell_replaced;
        });
        CHECK(acts_of(step, HasOutbox::no) == without);
    }
    CHECK(name_of(tell_replaced) == "tell_replaced");
    CHECK(name_of(delete_half_filled) == "delete_half_filled");
    CHECK(name_of(swap) == "swap");
    CHECK(name_of(forget) == "forget");
}

TEST_CASE("a rebuild's journal is known again by the config that it was made with") {
    const Folder folder;
    const auto config = in(folder);
    CHECK(look_at_rebuild_folder(config, lex()) == RebuildFolderFact::none);
    const auto mine = RebuildFolder::take(config, lex());
    REQUIRE(mine);
    CHECK(mine->look() == RebuildFolderFact::none);
    CHECK((fs::status(mine->journal().parent_path()).permissions() & fs::perms::all) == fs::perms::owner_all);
    fs::create_directory(mine->journal());
    CHECK(mine->look() == RebuildFolderFact::same);
    CHECK(look_at_rebuild_folder(config, lex()) == RebuildFolderFact::same);

    auto others = std::vector{lex("{\"settings\":{}}"), lex(), lex(), lex(), lex()};
    others[1].document.fields = {{"a", "b"}};
    others[2].document.constants = {{"a", "b"}};
    others[3].source.table = "other";
    others[4].source.deleted = "gone";
    for (const auto& other : others)
        CHECK(look_at_rebuild_folder(config, other) == RebuildFolderFact::other);
    auto another = lex();
    another.name = "lex-b";
    CHECK(look_at_rebuild_folder(config, another) == RebuildFolderFact::none);
}

TEST_CASE("one rebuild of a pipeline at a time, and what it leaves goes with what others left") {
    const Folder folder;
    const auto config = in(folder);
    {
        const auto mine = RebuildFolder::take(config, lex());
        REQUIRE(mine);
        const auto refused = RebuildFolder::take(config, lex("{\"settings\":{}}"));
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind == ErrorKind::decision);
        fs::create_directory(mine->journal());
        fs::create_directory(mine->journal().parent_path() / "0123456789abcdef");
        REQUIRE(mine->clear());
        CHECK(mine->look() == RebuildFolderFact::none);
        REQUIRE(mine->clear());
    }
    CHECK(RebuildFolder::take(config, lex()));
}
