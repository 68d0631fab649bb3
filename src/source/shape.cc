#include "source/shape.h"

#include <algorithm>

#include <xxhash.h>

#include "base/assert.h"
#include "source/json.h"

namespace pawl::source {
namespace {

// Each column is read once, however many fields it fills.
Cell cell_of(RowShape& shape, const Table& table, std::string_view name, std::string_view of = {}) {
    const Column* const column = table.find(name);
    PAWL_ASSERT(column != nullptr);
    const std::string expression = select_expression(*column, of);
    const auto found = std::ranges::find(shape.select, expression);
    const auto at = static_cast<std::size_t>(found - shape.select.begin());
    if (found == shape.select.end()) shape.select.push_back(expression);
    return {.at = at, .kind = column->kind, .column = column->name};
}

void add_document(RowShape& shape, const Table& table, const config::Document& document,
                  std::string_view of = {}) {
    if (!document.body.empty()) shape.body = cell_of(shape, table, document.body, of);
    std::vector<std::string> keys;
    for (const auto& [field, column] : fields_of(table, document)) {
        shape.fields.push_back({.key = json_string(field) + ":", .cell = cell_of(shape, table, column, of)});
        keys.push_back(field);
    }
    for (const auto& [field, json] : document.constants) {
        if (!shape.constants.empty()) shape.constants += ',';
        shape.constants += json_string(field) + ":" + json;
        keys.push_back(field);
    }
    shape.added_keys = AddedKeys(std::move(keys));
}

}  // namespace

std::vector<std::pair<std::string, std::string>> fields_of(const Table& table,
                                                           const config::Document& document) {
    std::vector<std::pair<std::string, std::string>> fields;
    if (document.body.empty())
        for (const Column& column : table.columns)
            fields.emplace_back(column.name, column.name);
    fields.insert(fields.end(), document.fields.begin(), document.fields.end());
    return fields;
}

RowShape shape_of(const Table& table, const config::Pipeline& pipeline) {
    RowShape shape;
    shape.document_bytes_max = pipeline.document_bytes_max;
    shape.revision = cell_of(shape, table, pipeline.source.revision);
    shape.entity = cell_of(shape, table, pipeline.source.entity);
    if (!pipeline.source.deleted.empty()) shape.deleted = cell_of(shape, table, pipeline.source.deleted);
    add_document(shape, table, pipeline.document);
    return shape;
}

RowShape present_shape_of(const Table& present, const config::Pipeline& pipeline) {
    PAWL_ASSERT(pipeline.source.outbox.has_value());
    const config::Outbox& outbox = *pipeline.source.outbox;
    RowShape shape;
    shape.document_bytes_max = pipeline.document_bytes_max;
    shape.revision = {.at = 0, .kind = ColumnKind::integer, .column = "id"};
    shape.select.emplace_back("0");
    shape.entity = cell_of(shape, present, outbox.entity.columns.front(), "present");
    shape.entity.column = pipeline.source.entity;
    shape.origin = json_string(present.name) + json_string(pipeline.source.entity);
    add_document(shape, present, pipeline.document, "present");
    return shape;
}

RowShape identity_shape_of(const Table& table, const config::Pipeline& pipeline) {
    RowShape shape;
    shape.revision = cell_of(shape, table, pipeline.source.revision);
    shape.entity = cell_of(shape, table, pipeline.source.entity);
    if (!pipeline.source.deleted.empty()) shape.deleted = cell_of(shape, table, pipeline.source.deleted);
    shape.has_document = false;
    return shape;
}

namespace {

std::uint64_t add(std::uint64_t digest, std::string_view part) {
    return XXH3_64bits_withSeed(part.data(), part.size(), digest + part.size() + 1);
}

std::uint64_t add(std::uint64_t digest, const char* value, unsigned long length) {
    return value == nullptr ? XXH3_64bits_withSeed("", 0, digest) : add(digest, {value, length});
}

std::uint64_t add(std::uint64_t digest, const Cell& cell) {
    return add(digest, std::to_string(cell.at) + ":" + std::to_string(static_cast<int>(cell.kind)));
}

}  // namespace

std::uint64_t digest_of(const RowShape& shape) {
    std::uint64_t digest = shape.select.size();
    for (const std::string& expression : shape.select)
        digest = add(digest, expression);
    digest = add(add(digest, shape.revision), shape.entity);
    digest = shape.deleted ? add(add(digest, "deleted"), *shape.deleted) : add(digest, "");
    digest = shape.body ? add(add(digest, "body"), *shape.body) : add(digest, "");
    for (const FieldShape& field : shape.fields)
        digest = add(add(digest, field.key), field.cell);
    digest = add(digest, shape.constants);
    if (!shape.origin.empty()) digest = add(digest, shape.origin);
    return digest == 0 ? 1 : digest;
}

std::uint64_t digest_of(const RowShape& shape, char* const* values, const unsigned long* lengths) {
    constexpr unsigned half = 32;
    std::uint64_t whole = shape.select.size();
    for (std::size_t column = 0; column < shape.select.size(); ++column)
        whole = add(whole, values[column], lengths[column]);
    std::uint64_t identity = 0;
    for (const std::size_t at : {shape.revision.at, shape.entity.at})
        identity = add(identity, values[at], lengths[at]);
    return identity >> half << half | whole >> half;
}

}  // namespace pawl::source
