#include "engine/batch_work.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/assert.h"
#include "base/planted.h"
#include "engine/history_check.h"
#include "journal/transition.h"

namespace pawl::engine {

BatchWork::BatchWork(std::string pipeline, IntervalSet revisions)
    : pipeline_(std::move(pipeline)), owed_(std::move(revisions)) {}

void BatchWork::load(std::shared_ptr<const Page> page, std::vector<Row> actions, TimeMs now) {
    PAWL_ASSERT(needs_rows());
    remember_taken();  // of the portion before; its page goes now
    has_rows_ = true;
    page_ = std::move(page);
    actions_ = std::move(actions);
    newest_ = 0;
    for (const Row& row : actions_)
        newest_ = std::max(newest_, row.revision);
    progress_.assign(actions_.size(), Progress::waiting);
    at_portion_ = {outcome_, rejected_.size()};

    Part valid;
    valid.reserve(actions_.size());
    for (std::uint32_t place = 0; place < actions_.size(); ++place) {
        const Row& row = actions_[place];
        if (row.action == Action::invalid) {
            progress_[place] = Progress::rejected;
            quarantine(row, row.error, row.document, now);
        } else if (is_taken(row)) {
            progress_[place] = Progress::taken;
            ++outcome_.done;
        } else {
            valid.push_back(place);
        }
    }
    if (!valid.empty()) waiting_.push_back(std::move(valid));
    finish_portion();
}

void BatchWork::drop_rows() {
    PAWL_ASSERT(in_flight_ == 0);
    PAWL_ASSERT(!acknowledged());
    remember_taken();
    has_rows_ = false;
    page_.reset();
    actions_.clear();
    progress_.clear();
    waiting_.clear();
    outcome_ = at_portion_.outcome;
    rejected_.resize(at_portion_.rejected);
}

void BatchWork::remember_taken() {
    for (std::size_t place = 0; place < actions_.size(); ++place) {
        if (progress_[place] != Progress::taken) continue;
        Revision& newest = taken_before_[std::string(actions_[place].entity)];
        newest = std::max(newest, actions_[place].revision);
    }
}

bool BatchWork::is_taken(const Row& row) const {
    const auto taken = taken_before_.find(row.entity);
    return taken != taken_before_.end() && taken->second >= row.revision;
}

Part BatchWork::take(std::size_t actions_max) {
    PAWL_ASSERT(can_send());
    PAWL_ASSERT(actions_max >= 1);
    Part part = std::move(waiting_.front());
    waiting_.pop_front();
    if (part.size() > actions_max) {
        const auto cut = part.begin() + static_cast<std::ptrdiff_t>(actions_max);
        waiting_.emplace_front(cut, part.end());
        part.erase(cut, part.end());
    }
    ++in_flight_;
    return part;
}

BulkRequest BatchWork::request_of(const Part& part, RequestId id) const {
    BulkRequest request{.id = id, .page = page_, .actions = {}, .index = {}};
    request.actions.reserve(part.size());
    for (const std::uint32_t place : part)
        request.actions.push_back(actions_[place]);
    return request;
}

void BatchWork::put_back(Part part) {
    if (!PAWL_PLANTED(no_answer_is_success)) waiting_.push_front(std::move(part));
    land();
}

void BatchWork::split(const Part& part) {
    PAWL_ASSERT(part.size() >= 2);
    const auto middle = part.begin() + static_cast<std::ptrdiff_t>(part.size() / 2);
    waiting_.emplace_front(middle, part.end());
    waiting_.emplace_front(part.begin(), middle);
    land();
}

BatchWork::Settled BatchWork::settle(const Part& part, std::span<const ItemResult> items, TimeMs now) {
    PAWL_ASSERT(part.size() == items.size());
    Settled settled;
    Part again;
    for (std::size_t i = 0; i < part.size(); ++i) {
        const ItemResult& item = items[i];
        const std::uint32_t place = part[i];
        switch (item.status) {
            case ItemStatus::done:
                progress_[place] = Progress::taken;
                ++outcome_.done;
                break;
            case ItemStatus::superseded:
                ++in_flight_;
                if (item.stored_version)
                    settled.doubted.push_back({place, *item.stored_version});
                else
                    settle_doubt(place);
                break;
            case ItemStatus::rejected:
                progress_[place] = Progress::rejected;
                quarantine(actions_[place], item.error, item.reason, now);
                break;
            case ItemStatus::retry:
            case ItemStatus::forbidden:
            case ItemStatus::target_missing:
                if (settled.unsettled == nullptr) settled.unsettled = &item;
                again.push_back(place);
                break;
        }
    }
    if (again.size() > 1 && PAWL_PLANTED(retry_only_first_failed_item)) again.resize(1);
    if (!again.empty()) waiting_.push_front(std::move(again));
    land();
    return settled;
}

void BatchWork::settle_doubt(std::uint32_t place) {
    progress_[place] = Progress::taken;
    ++outcome_.superseded;
    land();
}

void BatchWork::reject(const Part& part, const ItemResult& why, TimeMs now) {
    PAWL_ASSERT(part.size() == 1);
    progress_[part.front()] = Progress::rejected;
    quarantine(actions_[part.front()], why.error, why.reason, now);
    land();
}

void BatchWork::land() {
    PAWL_ASSERT(in_flight_ > 0);
    --in_flight_;
    finish_portion();
}

void BatchWork::finish_portion() {
    if (in_flight_ > 0 || !waiting_.empty()) return;
    if (page_->complete || PAWL_PLANTED(cut_page_taken_for_whole)) {
        owed_ = {};
        return;
    }
    // Without progress the same read would come again for ever: the source must cover at least one revision.
    PAWL_ASSERT(page_->covered_through >= owed_.lowest());
    owed_.erase_through(page_->covered_through);
    has_rows_ = owed_.empty();
}

void BatchWork::quarantine(const Row& row, std::string_view error, std::string_view reason, TimeMs now) {
    ++outcome_.quarantined;
    rejected_.push_back(journal::as_kept({.pipeline = pipeline_,
                                          .entity = std::string(row.entity),
                                          .revision = row.revision,
                                          .error = std::string(error),
                                          .reason = std::string(reason),
                                          .since = now}));
}

bool BatchWork::has_newer(std::string_view entity, Revision revision) const {
    const auto taken = taken_before_.find(entity);
    if (taken != taken_before_.end() && taken->second > revision) return true;
    if (newest_ <= revision) return false;  // nearly always, and there may be thousands of rows
    return std::any_of(actions_.begin(), actions_.end(),
                       [&](const Row& row) { return row.revision > revision && row.entity == entity; });
}

BatchResult BatchWork::result(const Ledger::Quarantine& quarantine) const {
    PAWL_ASSERT(acknowledged());
    BatchResult result{.outcome = outcome_, .quarantined = {}, .released = {}};
    if (rejected_.empty() && quarantine.empty()) return result;

    // An entity may have been in several portions, each time with what was its latest row then: of what
    // became of it the newest counts.
    std::map<std::string_view, Revision> taken(taken_before_.begin(), taken_before_.end());
    for (std::size_t place = 0; place < actions_.size(); ++place) {
        if (progress_[place] != Progress::taken) continue;
        Revision& newest = taken[actions_[place].entity];
        newest = std::max(newest, actions_[place].revision);
    }

    std::map<std::string_view, const journal::QuarantineEntry*> rejected;
    for (const journal::QuarantineEntry& entry : rejected_) {
        const auto newer = taken.find(entry.entity);
        if (newer != taken.end() && newer->second >= entry.revision) continue;
        const journal::QuarantineEntry*& newest = rejected[entry.entity];
        if (newest == nullptr || newest->revision <= entry.revision) newest = &entry;
    }
    for (const auto& [entity, entry] : rejected)
        result.quarantined.push_back(*entry);
    for (const auto& [entity, revision] : taken) {
        const auto entry = quarantine.find(entity);
        if (entry == quarantine.end() || rejected.contains(entity)) continue;
        // The index may have taken the row before the version came that beat it in a later batch.
        const bool beaten_since = entry->second.error == foreign_version &&
                                  entry->second.revision == revision && read_at() < entry->second.since;
        if (beaten_since) continue;
        if (entry->second.revision <= revision || PAWL_PLANTED(older_row_leaves_quarantine))
            result.released.emplace_back(entity);
    }
    return result;
}

}  // namespace pawl::engine
