// A history row → a row of a page: what is to happen to which entity, with which document. Pure.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string_view>

#include "engine/page.h"
#include "source/body.h"
#include "source/shape.h"

namespace pawl::source {

// A row's values as Connector/C gives them: a null pointer is NULL.
struct Cells {
    char* const* values = nullptr;
    const unsigned long* lengths = nullptr;
};

// Why this cannot be an entity's id; `column` is named in the reason.
std::optional<Problem> problem_with_entity(std::string_view entity, const std::string& column);

// Rows whose bytes the page holds, not added to it yet and without a revision.
engine::Row removed_row(std::string_view entity, engine::Page& page);
engine::Row invalid_row(std::string_view entity, const Problem& why, engine::Page& page);

// Keeps memory from row to row; a row costs no allocation. One thread.
class DocumentBuilder {
  public:
    explicit DocumentBuilder(RowShape shape) : shape_(std::move(shape)) {}

    // Adds the row to the page: index with its document, remove, or invalid with one of the words
    //   entity_empty, entity_too_long, entity_not_utf8, invalid_body, key_twice, invalid_utf8,
    //   document_too_large.
    // A row that deletes is not looked at further. Returns the bytes of the document. With a shape that has
    // none, an index row comes without its document, whatever its columns hold.
    std::size_t add(const Cells& cells, engine::Page& page);

    // The same for an entity whose id is made elsewhere: a row whose bytes the page holds, not added to it
    // yet and without a revision.
    engine::Row row_of(std::string_view entity, const Cells& cells, engine::Page& page);

    // Of a row's cells; the revision column always holds a number.
    engine::Revision revision_of(const Cells& cells) const;

    // As the document's id has it.
    std::string_view entity_of(const Cells& cells) const;

    const RowShape& shape() const { return shape_; }

  private:
    bool is_deleted(const Cells& cells) const;
    std::expected<std::string_view, Problem> document_of(const Cells& cells);
    std::expected<JsonText, Problem> begin_with_body(const Cells& cells);
    std::expected<char*, Problem> write_field(const FieldShape& field, const Cells& cells, char* out);
    void reserve(std::size_t bytes);

    RowShape shape_;
    JsonChecker json_;
    std::unique_ptr<char[]> scratch_;  // where a document is put together
    std::size_t scratch_bytes_ = 0;
};

}  // namespace pawl::source
