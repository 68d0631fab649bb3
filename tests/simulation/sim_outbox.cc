#include "tests/simulation/sim_outbox.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include <fmt/core.h>

#include "base/assert.h"
#include "base/planted.h"

namespace pawl::simulation {
namespace {

// A page looks at so many ids for each entity that it may hold.
constexpr std::uint64_t ids_an_entity_max = 4;

std::string document_of(const EntityState& state) {
    return fmt::format("{{\"c\":{}}}", state.content);
}

bool is_late(const engine::CleanUpRequest& request, Revision revision) {
    return revision <= request.late_through && !request.done.contains(revision) &&
           !request.renew.contains(revision) && !request.known.contains(revision);
}

}  // namespace

SimOutbox::SimOutbox(std::uint32_t entities, const SimOutbox* table)
    : SimHistory(entities), present_(entities), table_(table) {}

void SimOutbox::hold(std::uint32_t entity, RowKind kind) {
    present_.at(entity) = {kind, kinds_.size()};
    kinds_.push_back(kind);
    owners_.push_back(entity);
}

bool SimOutbox::was_removed_after(std::uint32_t entity, std::uint64_t content) const {
    for (std::uint64_t later = content + 1; later < kinds_.size(); ++later)
        if (owners_[later] == entity && kinds_[later] == RowKind::removed) return true;
    return false;
}

bool SimOutbox::was_ever_bad(std::uint32_t entity) const {
    for (std::uint64_t content = 1; content < kinds_.size(); ++content)
        if (owners_[content] == entity && kinds_[content] != RowKind::good &&
            kinds_[content] != RowKind::removed)
            return true;
    return false;
}

void SimOutbox::end(const Transaction& transaction, Fate fate) {
    SimHistory::end(transaction, fate);
    origins_.resize(rows().size());
    for (const Revision revision : transaction) {
        origins_[revision - 1] = revision;
        if (fate == Fate::committed) hold(row(revision).entity, row(revision).kind);
    }
    if (fate == Fate::committed) backups_.push_back({rows(), origins_, present_});
}

bool SimOutbox::is_removed(std::uint32_t entity) const {
    return present(entity).kind == RowKind::removed && present(entity).content > 0;
}

RowKind SimOutbox::kind_of(Revision, std::uint64_t content) const {
    return table_ == nullptr ? kinds_.at(content) : table_->kinds_.at(content);
}

bool SimOutbox::is_foreign(std::uint32_t, Revision version) const {
    return version > rows().size();
}

bool SimOutbox::is_there(Revision revision) const {
    return revision >= 1 && revision <= rows().size() && row(revision).fate == Fate::committed;
}

Revision SimOutbox::highest_row(std::uint32_t entity) const {
    Revision highest = 0;
    for (const HistoryRow& row : rows())
        if (row.entity == entity && row.fate == Fate::committed) highest = row.revision;
    return highest;
}

std::vector<Revision> SimOutbox::rows_there() const {
    std::vector<Revision> there;
    for (const HistoryRow& row : rows())
        if (row.fate == Fate::committed) there.push_back(row.revision);
    return there;
}

void SimOutbox::restore(std::size_t commits) {
    PAWL_ASSERT(clean_ups_.empty());
    Backup backup{{}, {}, present_};
    if (commits < backups_.size()) backup = backups_[commits];
    for (HistoryRow& row : backup.rows)
        if (row.fate == Fate::open) row.fate = Fate::dead;
    origins_ = std::move(backup.origins);
    present_ = std::move(backup.present);
    put_back(std::move(backup.rows));
    backups_.resize(std::min(backups_.size(), commits));
}

engine::LookUpAnswer SimOutbox::look_up(const engine::LookUpRequest& request) const {
    engine::LookUpAnswer answer{.history_end = end_of_history(), .shape = sim_shape};
    answer.anchors.resize(request.anchors.size());
    for (const auto& [entity, revision] : request.versions)
        answer.versions.push_back(revision <= end_of_history());
    return answer;
}

std::shared_ptr<const engine::Page> SimOutbox::read(const engine::ReadRequest& request, const Scan*,
                                                    TimeMs now, bool shorten, SimRandom& random) const {
    const std::shared_ptr<engine::Page> page = new_page(now);
    const std::uint64_t rows_max = shorten ? 1 + random.below(request.rows_max) : request.rows_max;
    if (request.table_after)
        read_table(request, rows_max, *page);
    else
        read_rows(request, rows_max, *page);
    return page;
}

// Of each entity one row, with its highest id among those of this page.
void SimOutbox::read_rows(const engine::ReadRequest& request, std::uint64_t entities_max,
                          engine::Page& page) const {
    const bool is_late = PAWL_PLANTED(document_of_earlier_snapshot) && backups_.size() > 1;
    const std::vector<EntityState>& states = is_late ? backups_[backups_.size() - 2].present : this->states();
    std::map<std::uint32_t, Revision> highest;
    std::uint64_t bytes = 0;
    page.complete = true;
    page.covered_through = request.revisions.highest();
    for (const Revision revision : rows_there()) {
        if (!request.revisions.contains(revision)) continue;
        const std::uint32_t entity = row(revision).entity;
        const bool is_full =
            !page.seen.empty() &&
            (bytes >= request.bytes_max || page.seen.count() >= ids_an_entity_max * entities_max ||
             (!highest.contains(entity) && highest.size() >= entities_max));
        if (is_full) {
            page.complete = false;
            page.covered_through = page.seen.highest();
            break;
        }
        page.seen.insert(revision);
        if (!highest.contains(entity)) bytes += document_of(states[entity]).size();
        highest[entity] = revision;
    }
    for (const auto& [entity, revision] : highest)
        put(page, PAWL_PLANTED(version_of_whole_outbox) ? highest_row(entity) : revision, entity,
            states[entity]);
}

void SimOutbox::read_table(const engine::ReadRequest& request, std::uint64_t rows_max,
                           engine::Page& page) const {
    const std::uint32_t first = request.table_after->empty() ? 0 : entity_of(*request.table_after) + 1;
    // Entities that are removed count, as those that a view hides.
    for (std::uint32_t entity = first; entity < entities(); ++entity) {
        if (entity - first >= rows_max || page.bytes() >= request.bytes_max) return;
        page.table_through = name_of(entity);
        if (present(entity).kind != RowKind::removed) put(page, 0, entity, present(entity));
    }
    page.complete = true;
}

void SimOutbox::put(engine::Page& page, Revision revision, std::uint32_t entity,
                    const EntityState& state) const {
    // A row that removes has no document: its content travels where the engine does not look.
    const std::string content = document_of(state);
    engine::Row row{revision, action_of(state.kind), name_of(entity), {}};
    if (row.action == engine::Action::index) row.document = content;
    if (row.action == engine::Action::remove) row.error = content;
    if (row.action == engine::Action::invalid) {
        row.document = "it makes no document";
        row.error = "invalid_body";
    }
    page.add(row);
}

std::uint64_t content_of(const engine::Row& row) {
    const std::string_view text = row.action == engine::Action::remove ? row.error : row.document;
    std::uint64_t content = 0;
    if (text.starts_with("{\"c\":")) std::from_chars(text.data() + 5, text.data() + text.size(), content);
    return content;
}

Revision SimOutbox::write_again(std::uint32_t entity, Revision origin) {
    const Revision revision = insert(entity, present(entity).kind);
    origins_.resize(rows().size());
    origins_[revision - 1] = origin == 0 ? revision : origin;
    return revision;
}

bool SimOutbox::has_gone_back(const engine::CleanUpRequest& request) const {
    return end_of_history() < request.late_through &&
           std::ranges::any_of(rows_there(), [&](Revision revision) { return is_late(request, revision); });
}

SimOutbox::CleanUp SimOutbox::begin_clean_up(const engine::CleanUpRequest& request) {
    CleanUp clean_up;
    clean_up.number = ++clean_ups_begun_;
    clean_up.answer.id = request.id;
    clean_up.wants_end = request.wants_end;
    std::vector<Revision> renewed;
    for (const Revision revision : rows_there()) {
        const bool late = is_late(request, revision);
        clean_up.answer.more_late |= late && clean_up.answer.late == request.rows_max;
        const bool is_renewed =
            request.renew.contains(revision) || (late && clean_up.answer.late < request.rows_max);
        if (late && is_renewed) ++clean_up.answer.late;
        if (is_renewed) renewed.push_back(revision);
        if (is_renewed || request.done.contains(revision)) clean_up.deleted.push_back(revision);
        if (request.done.contains(revision)) clean_up.keeps.push_back(row(revision).entity);
    }
    for (const Revision revision : renewed)
        clean_up.written.push_back(write_again(row(revision).entity, origin(revision)));
    for (const std::string& entity : request.entities)
        clean_up.written.push_back(write_again(entity_of(entity), 0));
    if (kept_ == nullptr || !kept_->takes_rows()) clean_up.keeps.clear();
    // It has looked. Every second one has inserted, too, and nobody drops the table before its end.
    if (clean_up.number % 2 == 0) keep_rows(clean_up);
    clean_ups_.push_back(clean_up);
    return clean_up;
}

std::optional<engine::CleanedUp> SimOutbox::end_clean_up(const CleanUp& clean_up, bool of_the_dead) {
    const auto known = std::ranges::find(clean_ups_, clean_up.number, &CleanUp::number);
    if (known == clean_ups_.end()) return std::nullopt;
    CleanUp ended = *known;
    clean_ups_.erase(known);
    if (!keep_rows(ended)) {
        undo(ended);
        return std::nullopt;
    }
    if (ended.kept && !ended.kept->empty()) kept_->SimHistory::end(*ended.kept, Fate::committed);
    SimHistory::end(clean_up.written, Fate::committed);
    for (const Revision revision : clean_up.written)
        if (of_the_dead) origins_[revision - 1] = revision;
    for (const Revision revision : clean_up.deleted)
        row_to_change(revision).fate = Fate::deleted;
    engine::CleanedUp answer = clean_up.answer;
    if (const auto rows = rows_there(); clean_up.wants_end && !rows.empty()) answer.end = rows.back();
    return answer;
}

// False: the table has been dropped since the look.
bool SimOutbox::keep_rows(CleanUp& clean_up) {
    if (clean_up.keeps.empty() || clean_up.kept) return true;
    if (!kept_->exists()) return false;
    clean_up.kept.emplace();
    for (const std::uint32_t entity : clean_up.keeps)
        clean_up.kept->push_back(kept_->keep(entity));
    return true;
}

void SimOutbox::undo(const CleanUp& clean_up) {
    SimHistory::end(clean_up.written, Fate::dead);
    if (clean_up.kept) kept_->SimHistory::end(*clean_up.kept, Fate::dead);
}

void SimOutbox::roll_back(const CleanUp& clean_up) {
    const auto known = std::ranges::find(clean_ups_, clean_up.number, &CleanUp::number);
    if (known == clean_ups_.end()) return;
    undo(*known);
    clean_ups_.erase(known);
}

void SimOutbox::roll_back_clean_ups() {
    for (const CleanUp& clean_up : std::exchange(clean_ups_, {}))
        undo(clean_up);
    if (kept_ != nullptr) kept_->roll_back_clean_ups();
}

Revision SimOutbox::take_id() {
    const Revision id = write_again(0, 0);
    SimHistory::end({id}, Fate::dead);
    return id;
}

void SimOutbox::raise_to(Revision id) {
    while (rows().size() < id)
        take_id();
}

void SimKeptRows::make() {
    PAWL_ASSERT(!exists_ && !is_in_use());
    exists_ = true;
    takes_rows_ = !PAWL_PLANTED(rows_kept_after_fill);
    forget_rows();
}

void SimKeptRows::drop() {
    PAWL_ASSERT(!is_in_use());
    exists_ = false;
    forget_rows();
}

std::shared_ptr<const engine::Page> SimKeptRows::read(const engine::ReadRequest& request, const Scan* scan,
                                                      TimeMs now, bool shorten, SimRandom& random) const {
    if (!exists_) throw Violation{"a rebuild reads rows from a table that is not there"};
    return SimOutbox::read(request, scan, now, shorten, random);
}

}  // namespace pawl::simulation
