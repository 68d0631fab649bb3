// A history row → a row of a page: what is to happen to which entity, with which document. Pure.
#pragma once

#include <memory>
#include <span>

#include "engine/page.h"
#include "source/body.h"
#include "source/shape.h"

namespace pawl::source {

// A row's values as Connector/C gives them: a null pointer is NULL.
struct Cells {
    char* const* values = nullptr;
    const unsigned long* lengths = nullptr;
};

// Keeps memory from row to row; a row costs no allocation. One thread.
class DocumentBuilder {
  public:
    explicit DocumentBuilder(RowShape shape) : shape_(std::move(shape)) {}

    // Adds the row to the page: index with its document, remove, or invalid with one of the words
    //   entity_empty, entity_too_long, entity_not_utf8, invalid_body, key_twice, invalid_utf8,
    //   document_too_large.
    // A row that deletes is not looked at further. Returns the bytes of the document.
    std::size_t add(const Cells& cells, engine::Page& page);

    // Of a row's cells; the revision column always holds a number.
    engine::Revision revision_of(const Cells& cells) const;

    const RowShape& shape() const { return shape_; }

  private:
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
