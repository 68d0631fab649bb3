// Rows and pages for the engine's unit tests.
#pragma once

#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

#include "engine/coalesce.h"
#include "engine/page.h"
#include "journal/record.h"

namespace pawl::engine::testing {

inline Row index_row(Revision revision, std::string_view entity) {
    return {revision, Action::index, entity, "{}", {}};
}
inline Row remove_row(Revision revision, std::string_view entity) {
    return {revision, Action::remove, entity, "", {}};
}
inline Row invalid_row(Revision revision, std::string_view entity) {
    return {revision, Action::invalid, entity, "it makes no document", "invalid_body"};
}

// A complete page of these rows, which are all that was seen.
inline std::shared_ptr<Page> page_of(const std::vector<Row>& rows, TimeMs read_at = 0) {
    auto page = std::make_shared<Page>();
    for (const Row& row : rows) {
        page->add(row);
        page->seen.insert(row.revision);
    }
    page->complete = true;
    page->covered_through = journal::revision_max;
    page->read_at = read_at;
    return page;
}

// The same, but there is more above `through`.
inline std::shared_ptr<Page> part_of(const std::vector<Row>& rows, Revision through, TimeMs read_at = 0) {
    auto page = page_of(rows, read_at);
    page->complete = false;
    page->covered_through = through;
    return page;
}

inline IntervalSet revisions(std::initializer_list<Revision> members) {
    IntervalSet set;
    for (const Revision member : members)
        set.insert(member);
    return set;
}

inline journal::QuarantineEntry entry_of(const std::string& entity, Revision revision, TimeMs since = 0) {
    journal::QuarantineEntry entry;
    entry.pipeline = "lex";
    entry.entity = entity;
    entry.revision = revision;
    entry.error = "an_error";
    entry.since = since;
    return entry;
}

inline journal::Batch batch_of(journal::BatchId id, const IntervalSet& revisions, journal::BatchState state) {
    journal::Batch batch;
    batch.id = id;
    batch.pipeline = "lex";
    batch.state = state;
    batch.revisions = revisions;
    batch.content.rows = static_cast<std::uint32_t>(revisions.count());
    return batch;
}

inline std::vector<Revision> revisions_of(const std::vector<Row>& rows) {
    std::vector<Revision> found;
    for (const Row& row : rows)
        found.push_back(row.revision);
    return found;
}

}  // namespace pawl::engine::testing
