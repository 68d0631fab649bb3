#include "source/document.h"

#include <fmt/format.h>
#include <simdjson.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "base/assert.h"
#include "source/json.h"
#include "source/limits.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

char* append_text(std::string_view text, char* out) {
    std::memcpy(out, text.data(), text.size());
    return out + text.size();
}

std::optional<std::string_view> value_of(const Cells& cells, const Cell& cell) {
    if (cells.values[cell.at] == nullptr) return std::nullopt;
    return std::string_view(cells.values[cell.at], cells.lengths[cell.at]);
}

std::unexpected<Problem> problem(std::string_view error, std::string reason) {
    return std::unexpected(Problem{error, std::move(reason)});
}

bool may_hold_any_bytes(ColumnKind kind) {
    return kind == ColumnKind::binary || kind == ColumnKind::bit || kind == ColumnKind::bit_boolean;
}

std::unexpected<Problem> in_column(Problem problem, const std::string& column) {
    problem.reason = fmt::format("column {}: {}", column, problem.reason);
    return std::unexpected(std::move(problem));
}

// An upper bound of the document's bytes, with room for what the JSON checker reads beyond its text.
std::size_t bytes_bound(const RowShape& shape, const Cells& cells) {
    std::size_t bytes = 2 + shape.constants.size() + 1 + JsonChecker::padding_bytes;
    if (shape.body) bytes += cells.lengths[shape.body->at];
    for (const auto& field : shape.fields)
        bytes += 1 + field.key.size() + json_bytes_max(field.cell.kind, cells.lengths[field.cell.at]);
    return bytes;
}

// A lower bound, so that what is far too large is not even copied.
bool is_surely_larger(const RowShape& shape, const Cells& cells, std::uint64_t bytes_max) {
    std::uint64_t bytes = 0;
    if (shape.body) bytes += cells.lengths[shape.body->at];
    for (const auto& field : shape.fields)
        if (field.cell.kind == ColumnKind::text || field.cell.kind == ColumnKind::binary)
            bytes += cells.lengths[field.cell.at];
    return bytes > bytes_max;
}

Problem too_large(std::uint64_t bytes_max) {
    return {"document_too_large",
            fmt::format("the document is larger than pipeline.limits.document_bytes, {} bytes", bytes_max)};
}

engine::Row kept(engine::Row row, engine::Page& page) {
    char* const bytes = page.allocate(row.entity.size() + row.document.size());
    std::ranges::copy(row.document, std::ranges::copy(row.entity, bytes).out);
    row.entity = {bytes, row.entity.size()};
    row.document = {bytes + row.entity.size(), row.document.size()};
    return row;
}

}  // namespace

std::optional<Problem> problem_with_entity(std::string_view entity, const std::string& column) {
    if (entity.empty())
        return Problem{"entity_empty", fmt::format("column {}: the entity's id is empty", column)};
    if (entity.size() > limits::entity_bytes_max)
        return Problem{"entity_too_long",
                       fmt::format("column {}: the entity's id is {} bytes long, more than {}", column,
                                   entity.size(), limits::entity_bytes_max)};
    if (!simdjson::validate_utf8(entity.data(), entity.size()))
        return Problem{"entity_not_utf8",
                       fmt::format("column {}: the entity's id is not valid UTF-8", column)};
    return std::nullopt;
}

engine::Row removed_row(std::string_view entity, engine::Page& page) {
    return kept({.action = engine::Action::remove, .entity = entity, .document = {}}, page);
}

engine::Row invalid_row(std::string_view entity, const Problem& why, engine::Page& page) {
    return kept({.action = engine::Action::invalid,
                 .entity = entity,
                 .document = cut(why.reason, limits::reason_bytes_max),
                 .error = why.error},
                page);
}

engine::Revision DocumentBuilder::revision_of(const Cells& cells) const {
    const auto text = value_of(cells, shape_.revision);
    PAWL_ASSERT(text.has_value());
    return revision_in(*text);
}

std::string_view DocumentBuilder::entity_of(const Cells& cells) const {
    const auto entity = value_of(cells, shape_.entity).value_or(std::string_view{});
    const bool is_number =
        shape_.entity.kind == ColumnKind::integer || shape_.entity.kind == ColumnKind::boolean;
    return is_number ? without_leading_zeros(entity) : entity;
}

std::size_t DocumentBuilder::add(const Cells& cells, engine::Page& page) {
    engine::Row row = row_of(entity_of(cells), cells, page);
    row.revision = revision_of(cells);
    page.add_owned(row);
    return row.document.size();
}

engine::Row DocumentBuilder::row_of(std::string_view entity, const Cells& cells, engine::Page& page) {
    if (const auto why = problem_with_entity(entity, shape_.entity.column))
        return invalid_row(entity, *why, page);
    if (is_deleted(cells)) return removed_row(entity, page);
    if (!shape_.has_document) return kept({.entity = entity, .document = {}}, page);
    const auto document = document_of(cells);
    if (!document) return invalid_row(entity, document.error(), page);
    return kept({.entity = entity, .document = *document}, page);
}

bool DocumentBuilder::is_deleted(const Cells& cells) const {
    if (!shape_.deleted) return false;
    const auto deleted = value_of(cells, *shape_.deleted);
    return deleted && is_true(shape_.deleted->kind, *deleted);
}

std::expected<std::string_view, Problem> DocumentBuilder::document_of(const Cells& cells) {
    if (is_surely_larger(shape_, cells, shape_.document_bytes_max))
        return std::unexpected(too_large(shape_.document_bytes_max));
    reserve(bytes_bound(shape_, cells));
    const auto body = begin_with_body(cells);
    if (!body) return std::unexpected(body.error());
    const char* const begin = body->text.data();
    char* out =
        scratch_.get() + (body->text.data() - scratch_.get()) + body->text.size() - 1;  // on the last brace
    bool first = body->empty_object;
    const auto separate = [&] {
        if (!first) *out++ = ',';
        first = false;
    };
    for (const auto& field : shape_.fields) {
        separate();
        const auto end = write_field(field, cells, append_text(field.key, out));
        if (!end) return std::unexpected(end.error());
        out = *end;
    }
    if (!shape_.constants.empty()) {
        separate();
        out = append_text(shape_.constants, out);
    }
    *out++ = '}';
    const auto bytes = static_cast<std::size_t>(out - begin);
    PAWL_ASSERT(out <= scratch_.get() + scratch_bytes_);
    if (bytes > shape_.document_bytes_max) return std::unexpected(too_large(shape_.document_bytes_max));
    return std::string_view(begin, bytes);
}

std::expected<JsonText, Problem> DocumentBuilder::begin_with_body(const Cells& cells) {
    if (!shape_.body) {
        scratch_[0] = '{';
        scratch_[1] = '}';
        return JsonText{.text = {scratch_.get(), 2}, .empty_object = true};
    }
    const auto body = value_of(cells, *shape_.body);
    if (!body) return problem("invalid_body", fmt::format("column {}: it is NULL", shape_.body->column));
    std::memcpy(scratch_.get(), body->data(), body->size());
    auto checked = json_.object(scratch_.get(), body->size(), shape_.added_keys);
    if (!checked) return in_column(std::move(checked.error()), shape_.body->column);
    return checked;
}

std::expected<char*, Problem> DocumentBuilder::write_field(const FieldShape& field, const Cells& cells,
                                                           char* out) {
    const auto value = value_of(cells, field.cell);
    if (!value) return append_text("null", out);
    if (field.cell.kind == ColumnKind::json) {
        std::memcpy(out, value->data(), value->size());
        auto checked = json_.value(out, value->size());
        if (!checked) return in_column(std::move(checked.error()), field.cell.column);
        std::memmove(out, checked->text.data(), checked->text.size());
        return out + checked->text.size();
    }
    if (!may_hold_any_bytes(field.cell.kind) && !simdjson::validate_utf8(value->data(), value->size()))
        return problem("invalid_utf8", fmt::format("column {}: not valid UTF-8", field.cell.column));
    return write_json(field.cell.kind, *value, out);
}

void DocumentBuilder::reserve(std::size_t bytes) {
    constexpr std::size_t kept_bytes_max = limits::row_bytes_kept_max;
    if (bytes <= scratch_bytes_ && (scratch_bytes_ <= kept_bytes_max || bytes > kept_bytes_max)) return;
    scratch_bytes_ = bytes > kept_bytes_max ? bytes : std::max<std::size_t>(bytes * 2, 4096);
    scratch_ = std::make_unique_for_overwrite<char[]>(scratch_bytes_);
}

}  // namespace pawl::source
