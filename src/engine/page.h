// What the source read: rows of one consistent snapshot, with their bytes. Immutable once it is posted, so
// that threads may share it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/time.h"
#include "journal/interval_set.h"
#include "journal/record.h"

namespace pawl::engine {

using journal::Interval;
using journal::IntervalSet;
using journal::Revision;

enum class Action : std::uint8_t {
    index = 1,    // `document` is one JSON object on one line, valid UTF-8
    remove = 2,   // the row says that the entity is deleted; `document` is empty
    invalid = 3,  // the row makes no document: `error` and `document` (the reason) say why; it is never sent
};

struct Row {
    Revision revision = 0;
    Action action = Action::index;
    std::string_view entity;    // the id's bytes; of an index or remove row: valid UTF-8, 1 … 512 bytes
    std::string_view document;  // the JSON, or the reason when invalid
    std::string_view error =
        {};  // when invalid: a word for it, "invalid_body", "key_twice", "entity_too_long", …
};

class Page {
  public:
    // Copies the views' bytes into the page.
    void add(const Row& row);
    // For a document that is put together piece by piece: room for `bytes` in the page, to be filled before
    // the row that names it is added with `add_owned`.
    char* allocate(std::size_t bytes);
    // The views already point into memory of this page or into constants.
    void add_owned(const Row& row) { rows_.push_back(row); }

    // Forgets the rows for which `wanted(row)` is false; their bytes stay until the page goes.
    template <class Predicate>
    void keep_rows(Predicate wanted) {
        std::erase_if(rows_, [&](const Row& row) { return !wanted(row); });
    }

    const std::vector<Row>& rows() const { return rows_; }
    std::size_t bytes() const { return bytes_; }

    // Revisions that were asked for and exist in the history, as far as `covered_through`. At least as many
    // as rows: every row stands for one of them or more.
    IntervalSet seen;
    // What was asked for at or below this revision is answered; what is above was not looked at.
    Revision covered_through = 0;
    // Nothing that was asked for was left out: the history held no further such row in this snapshot.
    bool complete = false;
    // Of the row with the highest revision among `rows` before any was left out; empty without rows.
    std::optional<journal::Anchor> anchor;
    std::uint64_t shape = 0;  // that the digests were made with
    // Of the row that was asked for beside the others; empty: there is no such row.
    std::optional<std::uint64_t> digest_beside;
    // Of a page of the table itself (ReadRequest::table_after): the position of the last row that was looked
    // at; one that a view does not show is not among `rows`. Opaque to the engine, at most
    // journal::limits::position_bytes_max bytes; empty where nothing was left to look at.
    std::string table_through;
    // When the snapshot was opened: how old the rows are counts from here.
    TimeMs read_at = 0;

  private:
    std::vector<Row> rows_;
    std::vector<std::unique_ptr<char[]>> chunks_;
    char* free_ = nullptr;
    std::size_t free_bytes_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace pawl::engine
