#include "ops/verification.h"

#include <algorithm>
#include <array>
#include <functional>
#include <iterator>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string_view>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/time.h"
#include "index/kept_source.h"
#include "ops/history_side.h"
#include "ops/limits.h"
#include "ops/table_side.h"
#include "ops/verify_sides.h"
#include "verify/buckets.h"
#include "verify/limits.h"
#include "verify/suspects.h"

namespace pawl::ops {
namespace {

std::uint64_t some_seed() {
    std::random_device device;
    return (std::uint64_t{device()} << 32U) | device();
}

bool has_outbox(const config::Pipeline& pipeline) {
    return pipeline.source.mode == journal::SourceMode::outbox;
}

// Of documents, what is compared: all, but for what the mapping keeps out of _source. An index that does not
// keep them at all is compared by revision, or, with a table that has none, by which entities are there.
Result<verify::SourceFilter> filter_of(const VerifyWorld& world, const VerifyBasis& basis,
                                       VerifyReport& report) {
    if (!report.content) return verify::SourceFilter();
    const std::string& index = basis.target.identity.index;
    auto kept = index::find_kept_source(world.call, index);
    if (!kept) return std::unexpected(std::move(kept.error()));
    if (!kept->why_not_whole.empty() && !report.is_of_table)
        return fail(
            ErrorKind::invalid,
            fmt::format("index {} does not keep documents as they were sent: {}", index, kept->why_not_whole),
            "leave --content out: revisions can be compared");
    if (!kept->why_not_whole.empty()) {
        report.content = false;
        report.left_out.push_back(fmt::format("all ({})", kept->why_not_whole));
        return verify::SourceFilter();
    }
    if (!kept->includes.empty())
        report.left_out.push_back(fmt::format("all but {}", fmt::join(kept->includes, ", ")));
    std::ranges::copy(kept->excludes, std::back_inserter(report.left_out));
    return verify::SourceFilter(std::move(kept->includes), std::move(kept->excludes));
}

std::unexpected<Error> went_back(const VerifyBasis& basis, std::string_view what, engine::Revision end) {
    return fail(ErrorKind::decision,
                fmt::format("the {} ends at revision {}, and index {} was fed through revision {}: it went "
                            "back",
                            what, end, basis.target.identity.index, basis.settled.revision),
                "see docs/operations.md, \"When the database was restored\"");
}

// An index that nobody has fed is compared with all that is there.
Result<source::HistoryView> open_history(const VerifyWorld& world, VerifyBasis& basis, VerifyReport& report) {
    auto view = source::HistoryView::open(
        world.config.mariadb, world.pipeline,
        report.content ? source::DocumentsRead::all : source::DocumentsRead::none, world.interrupt);
    if (!view) return view;
    const auto end = view->history_end();
    if (!end) return std::unexpected(end.error());
    if (!basis.settled.known) basis.settled.revision = *end;
    if (basis.settled.revision > *end) return went_back(basis, "history", *end);
    report.revision = basis.settled.revision;
    return view;
}

Result<source::TableView> open_table(const VerifyWorld& world, const VerifyBasis& basis,
                                     VerifyReport& report) {
    if (basis.is_filling)
        return fail(ErrorKind::decision,
                    fmt::format("index {} is still being filled from the table for the first time",
                                basis.target.identity.index),
                    "let pawl run, or pawl sync, come to the fill's end; pawl status shows how far it is");
    auto view = source::TableView::open(world.config.mariadb, world.pipeline, world.interrupt);
    if (!view) return view;
    const auto end = view->history_end();
    if (!end) return std::unexpected(end.error());
    if (basis.settled.known && basis.settled.revision > *end) return went_back(basis, "outbox", *end);
    report.revision = *end;
    return view;
}

}  // namespace

struct Verification::Impl {
    Impl(const VerifyWorld& world, VerifyBasis basis, VerifyReport report, verify::SourceFilter filter)
        : world_(world),
          basis_(std::move(basis)),
          report_(std::move(report)),
          digester_(std::move(filter)),
          prints_(basis_.settled, digester_, report_.content, some_seed(),
                  report_.is_of_table ? report_.revision : 0),
          index_side_(world_, basis_, prints_) {}

    using Made = Result<std::unique_ptr<Impl>>;
    static Made of_history(const VerifyWorld& world, VerifyBasis basis, VerifyReport report,
                           verify::SourceFilter filter);
    static Made of_table(const VerifyWorld& world, VerifyBasis basis, VerifyReport report,
                         verify::SourceFilter filter);

    Result<void> compare();
    Result<void> look_again();

    Result<void> fill_buckets();
    Result<std::size_t> look_at_round(std::size_t from);
    Result<void> look_at_unsettled();
    Result<std::uint64_t> walk_index(const VerifyVisit& visit, const std::function<void()>& begin_anew);
    void take(Seen seen);

    const VerifyWorld& world_;
    const VerifyBasis basis_;
    VerifyReport report_;
    verify::JsonDigester digester_;
    verify::Buckets buckets_;
    const VerifyPrints prints_;
    IndexSide index_side_;
    std::unique_ptr<SourceSide> source_side_;  // set when it is made
    std::vector<verify::Suspect> unsettled_;
};

Verification::Impl::Made Verification::Impl::of_history(const VerifyWorld& world, VerifyBasis basis,
                                                        VerifyReport report, verify::SourceFilter filter) {
    auto view = open_history(world, basis, report);
    if (!view) return std::unexpected(std::move(view.error()));
    auto impl = std::make_unique<Impl>(world, std::move(basis), std::move(report), std::move(filter));
    impl->source_side_ = std::make_unique<HistorySide>(impl->world_, impl->basis_, impl->prints_,
                                                       impl->digester_, std::move(*view));
    return impl;
}

Verification::Impl::Made Verification::Impl::of_table(const VerifyWorld& world, VerifyBasis basis,
                                                      VerifyReport report, verify::SourceFilter filter) {
    auto view = open_table(world, basis, report);
    if (!view) return std::unexpected(std::move(view.error()));
    auto impl = std::make_unique<Impl>(world, std::move(basis), std::move(report), std::move(filter));
    impl->source_side_ = std::make_unique<TableSide>(impl->world_, impl->basis_, impl->prints_,
                                                     impl->digester_, std::move(*view));
    return impl;
}

Result<void> Verification::Impl::compare() {
    if (auto filled = fill_buckets(); !filled) return filled;
    report_.buckets_differing = buckets_.differing();
    source_side_->on_chunk([this](std::uint64_t done) {
        return world_.watcher.goes_on({VerifyStage::suspects, report_.rounds, done});
    });
    for (std::size_t from = buckets_.next_differing(0); from < verify::limits::buckets;) {
        ++report_.rounds;
        const auto next = look_at_round(from);
        if (!next) return std::unexpected(next.error());
        if (report_.more_differences) break;
        from = *next;
    }
    if (auto looked = look_at_unsettled(); !looked) return looked;
    return is_still_behind_alias(world_.call, basis_.target);
}

// The index first: a page that is too large begins that walk anew.
Result<void> Verification::Impl::fill_buckets() {
    const auto documents = walk_index(
        [this](const VerifyItem& item) { buckets_.take_away(item.hash.bucket(), item.fingerprint); },
        [this] { buckets_ = verify::Buckets(); });
    if (!documents) return std::unexpected(documents.error());
    report_.documents = *documents;
    const auto rows = source_side_->walk(
        0, [this](const VerifyItem& item) { buckets_.add(item.hash.bucket(), item.fingerprint); });
    if (!rows) return std::unexpected(rows.error());
    report_.entities = *rows;
    return {};
}

// Gives where the next round begins.
Result<std::size_t> Verification::Impl::look_at_round(std::size_t from) {
    const auto new_round = [&] {
        return std::make_unique<verify::Suspects>(buckets_, from, verify::limits::suspects_max);
    };
    auto round = new_round();
    const auto documents = walk_index(
        [&](const VerifyItem& item) { round->add_document(item.entity, item.hash, item.fingerprint); },
        [&] { round = new_round(); });
    if (!documents) return std::unexpected(documents.error());
    const auto rows = source_side_->walk(report_.rounds, [&](const VerifyItem& item) {
        round->add_row(item.entity, item.hash, item.revision, item.fingerprint);
    });
    if (!rows) return std::unexpected(rows.error());
    const std::size_t next = round->next_round();
    const auto suspects = round->take();
    report_.looked_at += suspects.size();
    auto seen = source_side_->look_at(suspects);
    if (!seen) return std::unexpected(std::move(seen.error()));
    take(std::move(*seen));
    return next;
}

Result<std::uint64_t> Verification::Impl::walk_index(const VerifyVisit& visit,
                                                     const std::function<void()>& begin_anew) {
    for (;;) {
        auto visited = index_side_.walk(report_.rounds, visit);
        if (visited || visited.error().kind != ErrorKind::too_large || !index_side_.shrink_pages())
            return visited;
        begin_anew();
    }
}

void Verification::Impl::take(Seen seen) {
    auto& all = report_.differences;
    std::ranges::move(seen.differences, std::back_inserter(all));
    report_.more_differences = all.size() > verify::limits::differences_max;
    if (report_.more_differences) all.resize(verify::limits::differences_max);
    const std::size_t room = verify::limits::suspects_max - unsettled_.size();
    const std::size_t kept = std::min(room, seen.unsettled.size());
    report_.unsettled += seen.unsettled.size() - kept;
    std::move(seen.unsettled.begin(), seen.unsettled.begin() + static_cast<std::ptrdiff_t>(kept),
              std::back_inserter(unsettled_));
}

// What was on its way has arrived by now, or is looked at again.
Result<void> Verification::Impl::look_at_unsettled() {
    for (int look = 0; look < limits::verify_looks_max && !unsettled_.empty(); ++look) {
        if (!world_.watcher.wait(limits::verify_look_pause_ms)) return ended_while_looking();
        auto seen = source_side_->look_at(std::exchange(unsettled_, {}));
        if (!seen) return std::unexpected(std::move(seen.error()));
        take(std::move(*seen));
    }
    report_.unsettled += unsettled_.size();
    return {};
}

// By their ids: which rows they had at the fixed revision does not matter any more.
Result<void> Verification::Impl::look_again() {
    std::vector<verify::Suspect> suspects;
    for (const Difference& difference : report_.differences)
        if (difference.outcome == Outcome::open) suspects.push_back({difference.entity, std::nullopt});
    const auto seen = source_side_->look_at(suspects);
    if (!seen) return std::unexpected(seen.error());
    std::map<std::string_view, const Difference*> different;
    for (const Difference& difference : seen->differences)
        different.emplace(difference.entity, &difference);
    std::set<std::string_view> waiting;
    for (const verify::Suspect& suspect : seen->unsettled)
        waiting.insert(suspect.entity);
    const std::set<std::string_view> quarantined(seen->quarantined.begin(), seen->quarantined.end());
    for (Difference& difference : report_.differences) {
        if (difference.outcome != Outcome::open) continue;
        difference.is_waiting = waiting.contains(difference.entity);
        const auto still = different.find(difference.entity);
        if (still != different.end()) difference.document = still->second->document;
        if (still != different.end() || difference.is_waiting) continue;
        difference.outcome = quarantined.contains(difference.entity) ? Outcome::quarantined : Outcome::healed;
    }
    return {};
}

namespace {

std::unexpected<Error> of_pipeline(Error error, const VerifyWorld& world) {
    return std::unexpected(std::move(error).within("pipeline " + world.pipeline.name));
}

}  // namespace

Result<Verification> Verification::begin(const VerifyWorld& world, bool content) {
    auto basis = find_basis(world.config, world.pipeline, world.nobody_else_feeds, world.call);
    if (!basis) return of_pipeline(std::move(basis.error()), world);
    const bool is_of_table = has_outbox(world.pipeline);
    VerifyReport report{.pipeline = world.pipeline.name,
                        .index = basis->target.identity.index,
                        .is_of_table = is_of_table,
                        .content = content || is_of_table,
                        .left_out = {},
                        .differences = {}};
    report.quarantined =
        std::max<std::uint64_t>(basis->settled.quarantined.size(), basis->settled.owed.count());
    auto filter = filter_of(world, *basis, report);
    if (!filter) return of_pipeline(std::move(filter.error()), world);
    auto made = is_of_table
                    ? Impl::of_table(world, std::move(*basis), std::move(report), std::move(*filter))
                    : Impl::of_history(world, std::move(*basis), std::move(report), std::move(*filter));
    if (!made) return of_pipeline(std::move(made.error()), world);
    return Verification(std::move(*made));
}

Verification::Verification(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Verification::~Verification() = default;
Verification::Verification(Verification&& other) noexcept = default;

Result<void> Verification::compare() {
    const TimeMs began = clock_now();
    auto compared = impl_->compare();
    impl_->report_.took_ms = clock_now() - began;
    if (!compared) return of_pipeline(std::move(compared.error()), impl_->world_);
    return {};
}

Result<void> Verification::look_again() {
    auto looked = impl_->look_again();
    if (!looked) return of_pipeline(std::move(looked.error()), impl_->world_);
    return {};
}

VerifyReport& Verification::report() {
    return impl_->report_;
}

const VerifyWorld& Verification::world() const {
    return impl_->world_;
}

const std::string& Verification::index() const {
    return impl_->basis_.target.identity.index;
}

bool VerifyReport::settled() const {
    return !more_differences && std::ranges::all_of(differences, [](const Difference& each) {
        return each.outcome == Outcome::healed;
    });
}

std::size_t VerifyReport::count_of(verify::Kind kind) const {
    return static_cast<std::size_t>(std::ranges::count(differences, kind, &Difference::kind));
}

std::string_view source_word(const VerifyReport& report) {
    return report.is_of_table ? "table" : "history";
}

std::string counts_text(const VerifyReport& report) {
    std::string text;
    for (const verify::Kind kind : verify::kinds)
        if (const auto count = report.count_of(kind); count > 0)
            text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, name_of(kind));
    return text + (report.more_differences ? " or more" : "");
}

std::string_view name_of(Outcome outcome) {
    constexpr std::array<std::string_view, 3> names{"open", "healed", "quarantined"};
    return names.at(static_cast<std::size_t>(outcome) - 1);
}

std::string_view name_of(VerifyStage stage) {
    constexpr std::array<std::string_view, 4> names{"reading the history", "reading the index",
                                                    "looking at suspects", "reading the table"};
    return names.at(static_cast<std::size_t>(stage));
}

}  // namespace pawl::ops
