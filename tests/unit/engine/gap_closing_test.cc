#include "engine/gap_closing.h"

#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::engine;

namespace {

constexpr TimeMs start = 1'000'000;

Limits hour_of_grace() {
    Limits limits;
    limits.poll_interval_ms = 500;
    limits.gap_grace_ms = 3'600'000;
    return limits;
}

void answer(GapClosing& closing, Proof::Outcome outcome, TimeMs at, Revision through = 0) {
    closing.asked();
    closing.answered({outcome, through, "a reason"}, at);
}

}  // namespace

TEST_CASE("a proof is asked for at once, then once in a poll's time, and one at a time") {
    GapClosing closing(hour_of_grace());
    CHECK(closing.wants_proof(start));
    closing.asked();
    CHECK(closing.under_way());
    CHECK_FALSE(closing.wants_proof(start + 1'000'000));
    closing.answered({Proof::Outcome::busy, 0, {}}, start);
    CHECK_FALSE(closing.under_way());
    CHECK_FALSE(closing.wants_proof(start + 499));
    CHECK(closing.wants_proof(start + 500));
}

TEST_CASE("gaps that are about to be looked at do not wait for the next proof's time") {
    GapClosing closing(hour_of_grace());
    answer(closing, Proof::Outcome::busy, start);
    closing.hurry(start + 1);
    CHECK(closing.wants_proof(start + 1));
    closing.hurry(start + 300);  // never later than it was
    CHECK(closing.wants_proof(start + 1));
}

TEST_CASE("what is proven stays proven, and a busy history proves nothing more") {
    GapClosing closing(hour_of_grace());
    answer(closing, Proof::Outcome::proven, start, 7);
    CHECK(closing.proven_through() == 7);
    answer(closing, Proof::Outcome::busy, start + 500);
    CHECK(closing.proven_through() == 7);
    answer(closing, Proof::Outcome::proven, start + 1'000, 5);
    CHECK(closing.proven_through() == 7);
    closing.forget();
    CHECK(closing.proven_through() == 0);
}

TEST_CASE("proofs that fail come ever more slowly, hurry or not, and what was proven is forgotten") {
    GapClosing closing(hour_of_grace());
    answer(closing, Proof::Outcome::proven, start, 7);
    TimeMs at = start;
    TimeMs longest = 0;
    for (int failures = 0; failures < 12; ++failures) {
        closing.asked();
        closing.failed(at);
        closing.hurry(at);
        CHECK_FALSE(closing.wants_proof(at + 499));
        const TimeMs failed_at = at;
        while (!closing.wants_proof(at))
            at += 100;
        CHECK(at - failed_at >= longest);
        longest = at - failed_at;
    }
    CHECK(longest == Limits{}.retry_delay_max_ms);
    CHECK(closing.proven_through() == 0);
    answer(closing, Proof::Outcome::busy, at);
    closing.hurry(at);
    CHECK(closing.wants_proof(at));
}

TEST_CASE("without the privilege it is asked for once a minute") {
    GapClosing closing(hour_of_grace());
    answer(closing, Proof::Outcome::not_allowed, start);
    CHECK_FALSE(closing.allowed());
    closing.hurry(start);
    CHECK_FALSE(closing.wants_proof(start + limits::forbidden_retry_ms - 1));
    CHECK(closing.wants_proof(start + limits::forbidden_retry_ms));
}

TEST_CASE("without the privilege a revision is given up once it has been missing for gap_grace, not sooner") {
    const Limits limits = hour_of_grace();
    GapClosing closing(limits);
    answer(closing, Proof::Outcome::not_allowed, start);
    closing.looked_at(100, start);
    closing.looked_at(200, start + limits.gap_grace_ms / 2);
    CHECK(closing.given_up_through(start + limits.gap_grace_ms - 1) == 0);
    CHECK(closing.given_up_through(start + limits.gap_grace_ms) == 100);
    CHECK(closing.given_up_through(start + limits.gap_grace_ms / 2 * 3) == 200);
}

TEST_CASE("with the privilege nothing is given up, however long it is missing") {
    const Limits limits = hour_of_grace();
    GapClosing closing(limits);
    closing.looked_at(100, start);
    CHECK(closing.given_up_through(start + 2 * limits.gap_grace_ms) == 0);
    answer(closing, Proof::Outcome::not_allowed, start);
    closing.looked_at(100, start);
    answer(closing, Proof::Outcome::busy, start + 60'000);
    CHECK(closing.allowed());
    CHECK(closing.given_up_through(start + 2 * limits.gap_grace_ms) == 0);
}

TEST_CASE("days without the privilege are remembered in few marks, and given up no sooner and little later") {
    const Limits limits = hour_of_grace();
    GapClosing closing(limits);
    answer(closing, Proof::Outcome::not_allowed, start);
    // One revision a second is missing; the assertion on the number of marks is the class's own.
    for (TimeMs at = start; at < start + 20 * limits.gap_grace_ms; at += 1'000) {
        closing.looked_at(static_cast<Revision>((at - start) / 1'000), at);
        const TimeMs known_before = at - start - limits.gap_grace_ms;
        const auto through = static_cast<TimeMs>(closing.given_up_through(at)) * 1'000;
        if (known_before < 0) {
            CHECK(through == 0);
            continue;
        }
        CHECK(through <= known_before);
        CHECK(known_before - through <= limits.gap_grace_ms / limits::grace_marks_max + 1'000);
    }
}

TEST_CASE(
    "what was proven of a server that may be another one by now is forgotten, also when it is still to "
    "come") {
    GapClosing closing(hour_of_grace());
    answer(closing, Proof::Outcome::proven, start, 7);
    closing.asked();
    closing.forget();
    CHECK(closing.proven_through() == 0);
    closing.answered({Proof::Outcome::proven, 9, {}}, start + 500);
    CHECK(closing.proven_through() == 0);
    answer(closing, Proof::Outcome::proven, start + 1'000, 4);
    CHECK(closing.proven_through() == 4);
}

TEST_CASE("a pipeline that begins again gives up nothing for having been missing before") {
    GapClosing closing(hour_of_grace());
    answer(closing, Proof::Outcome::not_allowed, start);
    closing.looked_at(9, start);
    closing.begin();
    CHECK(closing.given_up_through(start + 3'600'000) == 0);
}
