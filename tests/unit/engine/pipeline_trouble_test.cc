// What does not work, and who hears of it (engine/pipeline_trouble.cc).
#include <catch2/catch.hpp>

#include "tests/unit/engine/by_hand.h"

using namespace pawl;
using namespace pawl::engine;
using namespace pawl::engine::testing;

namespace {

ByHand sending(Until until = Until::stopped) {
    ByHand hand(settings_for(until));
    hand.begins(1);
    hand.writes();
    hand.reads(page_of({index_row(1, "a")}));
    hand.writes();
    return hand;
}

// Fails every request until so much time has passed; how often it was tried.
int fails_for(ByHand& hand, TimeMs span, ErrorKind kind) {
    int tried = 0;
    for (const TimeMs end = hand.now + span; hand.now < end;) {
        if (const auto send = hand.take<SendBulk>()) {
            ++tried;
            hand.fails(*send, kind);
        } else if (auto read = hand.take<ReadPage>()) {
            hand.answers(read->request, page_of({index_row(1, "a")}, hand.now));
        } else if (auto timer = hand.take<SetTimer>()) {
            if (timer->timer != Timer::send_retry) continue;
            hand.now += timer->delay_max_ms;
            hand.fires(timer->timer);
        } else {
            break;
        }
        hand.writes();
    }
    return tried;
}

}  // namespace

TEST_CASE("an outage is told once a minute and tried again for ever") {
    ByHand hand = sending();
    const int tried = fails_for(hand, 600'000, ErrorKind::unavailable);
    CHECK(tried >= 20);
    const std::size_t told = hand.notices("it failed");
    CHECK(told >= 8);
    CHECK(told <= 11);
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::retrying);
    CHECK_FALSE(hand.pipeline.finished());
}

TEST_CASE("trouble that comes and goes does not fill the log") {
    ByHand hand = sending();
    std::size_t lines = 0;
    for (int round = 0; round < 50; ++round) {
        hand.fails(hand.need<SendBulk>(), ErrorKind::overloaded);
        hand.writes();
        hand.now += 200;
        hand.fires(Timer::send_retry);
        hand.answers(hand.need<SendBulk>());
        hand.writes();
        CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::running);
        hand.fires(Timer::poll);
        hand.reads(page_of({index_row(static_cast<Revision>(round) + 2, "a")}));
        hand.writes();
        lines += hand.notices("");
    }
    CHECK(lines <= 3);  // the new index, the trouble, and that it is over
}

TEST_CASE("another kind of trouble is told at once, and the journal names it") {
    ByHand hand = sending();
    hand.fails(hand.need<SendBulk>(), ErrorKind::unavailable);
    hand.fires(Timer::send_retry);
    const auto send = hand.need<SendBulk>();
    hand.happens(
        BulkFailed{send.request.id, {ErrorKind::forbidden, "privilege index is missing", "grant it"}});
    CHECK(hand.notices("privilege") == 1);
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::forbidden);
    CHECK(hand.pipeline.ledger().pipeline().condition_detail == "privilege index is missing");
}

TEST_CASE("a forbidden item is tried again slowly") {
    ByHand hand = sending();
    (void)hand.take<SetTimer>();
    hand.answers(hand.need<SendBulk>(), ItemStatus::forbidden);
    CHECK(hand.need<SetTimer>().delay_min_ms == limits::forbidden_retry_ms / 2);
    CHECK_FALSE(hand.take<SendBulk>());
    hand.fires(Timer::send_retry);
    CHECK(hand.take<SendBulk>());
}

TEST_CASE("the trouble is over when the last request is refused for good") {
    ByHand hand = sending();
    hand.fails(hand.need<SendBulk>(), ErrorKind::unavailable);
    hand.fires(Timer::send_retry);
    hand.fails(hand.need<SendBulk>(), ErrorKind::rejected);
    hand.writes();
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::running);
    CHECK(hand.pipeline.ledger().open_batches().empty());
}

TEST_CASE("sync gives up at once when a server cannot be reached at the start, with its error") {
    ByHand hand(settings_for(Until::caught_up));
    hand.happens(Begin{});
    hand.happens(SourceFailed{{ErrorKind::unavailable, "no MariaDB at 127.0.0.1", "start it"}});
    const auto finish = hand.need<Finish>();
    CHECK(finish.error->kind == ErrorKind::unavailable);
    CHECK(finish.error->message == "no MariaDB at 127.0.0.1");
}

TEST_CASE("sync gives up after a time without any success, a missing privilege ends it at once") {
    ByHand hand = sending(Until::caught_up);
    (void)fails_for(hand, 600'000, ErrorKind::unavailable);
    CHECK(hand.need<Finish>().error->kind == ErrorKind::unavailable);
    CHECK(hand.now - 1'000'000 >= 60'000);
    CHECK(hand.now - 1'000'000 < 150'000);
    ByHand forbidden = sending(Until::caught_up);
    forbidden.fails(forbidden.need<SendBulk>(), ErrorKind::forbidden);
    CHECK(forbidden.need<Finish>().error->kind == ErrorKind::forbidden);
}

TEST_CASE("a daemon waits for servers that are down when it starts") {
    ByHand hand(settings_for());
    hand.happens(Begin{});
    hand.need<PrepareSource>();
    hand.need<PrepareTarget>();
    hand.happens(SourceFailed{{ErrorKind::unavailable, "no MariaDB", "start it"}});
    CHECK_FALSE(hand.take<PrepareSource>());
    hand.target_is("uuid", true);
    CHECK(hand.need<SetTimer>().timer == Timer::prepare_retry);
    hand.fires(Timer::prepare_retry);
    hand.need<PrepareSource>();
    CHECK_FALSE(hand.take<PrepareTarget>());
    hand.happens(SourceReady{});
    CHECK(hand.take<ReadPage>());
}

TEST_CASE("a table or an index that cannot be used stops the pipeline as refused") {
    ByHand hand(settings_for(), left_behind(journal::BatchState::applied));
    hand.happens(Begin{});
    hand.happens(TargetFailed{{ErrorKind::invalid, "alias lex has two indices", "choose one"}});
    CHECK(hand.need<Finish>().error->kind == ErrorKind::invalid);
    CHECK(hand.pipeline.ledger().pipeline().condition == journal::Condition::refused);
    CHECK(holds<journal::SetCondition>(hand.need<WriteJournal>()));
}

TEST_CASE("a failed read is asked again after its timer, and sending goes on meanwhile") {
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(part_of({index_row(1, "a")}, 1));
    const auto read = hand.need<ReadPage>();
    hand.happens(ReadFailed{read.request.id, {ErrorKind::unavailable, "gone away", "wait"}});
    hand.writes();
    CHECK(hand.take<SendBulk>());
    CHECK_FALSE(hand.take<ReadPage>());
    hand.fires(Timer::read_retry);
    CHECK(hand.need<ReadPage>().request.revisions == read.request.revisions);
}

TEST_CASE("of the entities that one batch quarantines ten are named, the others are counted") {
    const std::vector<std::string> names{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l"};
    std::vector<Row> rows;
    for (std::size_t place = 0; place < names.size(); ++place)
        rows.push_back(index_row(place + 1, names[place]));
    ByHand hand(settings_for());
    hand.begins();
    hand.writes();
    hand.reads(page_of(rows));
    hand.writes();
    hand.answers(hand.need<SendBulk>(), ItemStatus::rejected);
    std::size_t named = 0;
    std::size_t counted = 0;
    while (const auto notice = hand.take<Notice>()) {
        named += notice->text.starts_with("quarantined entity ") ? 1 : 0;
        counted += notice->text == "quarantined 2 more entities" ? 1 : 0;
    }
    CHECK(named == limits::quarantine_notices_max);
    CHECK(counted == 1);
}

TEST_CASE("every kind of trouble either is tried again or ends the pipeline as refused") {
    for (const ErrorKind kind : {ErrorKind::too_large, ErrorKind::rejected}) {
        ByHand hand(settings_for());
        hand.happens(Begin{});
        hand.happens(SourceFailed{{kind, "it failed", "do something"}});
        CHECK(hand.need<SetTimer>().timer == Timer::prepare_retry);
        CHECK_FALSE(hand.pipeline.finished());
    }
    for (const ErrorKind kind : {ErrorKind::storage, ErrorKind::decision}) {
        ByHand hand(settings_for());
        hand.happens(Begin{});
        hand.happens(SourceFailed{{kind, "it failed", "do something"}});
        CHECK(hand.need<Finish>().error->kind == kind);
    }
}
