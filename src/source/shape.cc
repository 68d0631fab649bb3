#include "source/shape.h"

#include <algorithm>

#include "base/assert.h"
#include "source/json.h"

namespace pawl::source {
namespace {

// Each column is read once, however many fields it fills.
Cell cell_of(RowShape& shape, const Table& table, std::string_view name) {
    const Column* const column = table.find(name);
    PAWL_ASSERT(column != nullptr);
    const std::string expression = select_expression(*column);
    const auto found = std::ranges::find(shape.select, expression);
    const auto at = static_cast<std::size_t>(found - shape.select.begin());
    if (found == shape.select.end()) shape.select.push_back(expression);
    return {.at = at, .kind = column->kind, .column = column->name};
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
    if (!pipeline.document.body.empty()) shape.body = cell_of(shape, table, pipeline.document.body);
    std::vector<std::string> keys;
    for (const auto& [field, column] : fields_of(table, pipeline.document)) {
        shape.fields.push_back({.key = json_string(field) + ":", .cell = cell_of(shape, table, column)});
        keys.push_back(field);
    }
    for (const auto& [field, json] : pipeline.document.constants) {
        if (!shape.constants.empty()) shape.constants += ',';
        shape.constants += json_string(field) + ":" + json;
        keys.push_back(field);
    }
    shape.added_keys = AddedKeys(std::move(keys));
    return shape;
}

}  // namespace pawl::source
