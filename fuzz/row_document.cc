// Any column bytes as a row of the history. The first line is a letter for the table's shape and the revision
// ("b17"); every cell follows a line "---" (so that no cell can hold "\n---\n"); a cell that is not there, or
// is "NULL", is NULL. What must hold: a row with that revision that is deleted, invalid with one of the known
// words and a reason for people, or a document that another parser reads as one JSON object with the very
// values of the cells; and in a bulk request it stays one line.
#include <algorithm>
#include <array>
#include <charconv>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "fuzz/judge.h"
#include "index/bulk.h"
#include "source/document.h"
#include "source/limits.h"

using namespace pawl;
using namespace pawl::source;
using nlohmann::json;

namespace {

// Each cell in memory of exactly its size, so that reading beyond it is seen.
struct RowCells {
    std::vector<std::unique_ptr<char[]>> memory;
    std::vector<char*> values;
    std::vector<unsigned long> lengths;

    void add(std::optional<std::string_view> cell) {
        memory.push_back(cell ? std::make_unique<char[]>(cell->size()) : nullptr);
        if (cell) std::copy(cell->begin(), cell->end(), memory.back().get());
        values.push_back(memory.back().get());
        lengths.push_back(cell ? cell->size() : 0);
    }
    std::optional<std::string_view> at(std::size_t cell) const {
        if (values[cell] == nullptr) return std::nullopt;
        return std::string_view(values[cell], lengths[cell]);
    }
};

Column column(std::string name, ColumnKind kind) {
    Column made;
    made.name = std::move(name);
    made.kind = kind;
    return made;
}

// A body with fields and constants that need escapes; every kind of column as a field; an entity that is a
// number.
RowShape shape_for(char letter) {
    using enum ColumnKind;
    Table table;
    config::Pipeline pipeline;
    pipeline.source.revision = "id";
    pipeline.source.entity = "entity";
    pipeline.source.deleted = "gone";
    pipeline.document_bytes_max = 4096;
    if (letter == 'f') {
        table.columns = {column("id", integer),   column("entity", text),        column("gone", boolean),
                         column("dec", decimal),  column("r32", real32),         column("r64", real64),
                         column("t\"e", text),    column("j", ColumnKind::json), column("s", set),
                         column("raw", binary),   column("bits", bit),           column("b1", bit_boolean),
                         column("ts", timestamp), column("dt", datetime),        column("d", date)};
        return shape_of(table, pipeline);
    }
    const bool is_number = letter == 'n';
    table.columns = {column("id", integer),
                     column("entity", is_number ? integer : text),
                     column("gone", is_number ? bit : boolean),
                     column("body", ColumnKind::json),
                     column("who", text),
                     column("extra", ColumnKind::json),
                     column("raw", binary)};
    pipeline.document.body = "body";
    pipeline.document.fields = {{"_who", "who"}, {"_ex\"tra", "extra"}, {"_raw", "raw"}};
    pipeline.document.constants = {{"_res\nource", "\"words\""}};
    if (is_number) pipeline.document_bytes_max = 200;
    return shape_of(table, pipeline);
}

DocumentBuilder& builder_for(char letter) {
    static std::array builders{std::make_unique<DocumentBuilder>(shape_for('b')),
                               std::make_unique<DocumentBuilder>(shape_for('f')),
                               std::make_unique<DocumentBuilder>(shape_for('n'))};
    return *builders[letter == 'f' ? 1 : letter == 'n' ? 2 : 0];
}

std::string from_base64(std::string_view text) {
    constexpr std::string_view alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    std::string bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char letter : text.substr(0, text.find('='))) {
        PAWL_ASSERT(alphabet.find(letter) != alphabet.npos);
        bits = bits << 6 | static_cast<std::uint32_t>(alphabet.find(letter));
        count += 6;
        if (count < 8) continue;
        count -= 8;
        bytes.push_back(static_cast<char>(bits >> count & 0xff));
    }
    return bytes;
}

// `value` is what the document says of a column of this kind that holds `cell`.
void check_value(ColumnKind kind, std::string_view cell, const json& value) {
    switch (kind) {
        case ColumnKind::text:
            PAWL_ASSERT(value == json(cell));
            break;
        case ColumnKind::json:
            PAWL_ASSERT(value == fuzz::json_in(cell));
            break;
        case ColumnKind::binary:
            PAWL_ASSERT(value.is_string() && from_base64(value.get_ref<const std::string&>()) == cell);
            break;
        case ColumnKind::bit:
            PAWL_ASSERT(value.is_number_unsigned());
            break;
        case ColumnKind::bit_boolean:
            PAWL_ASSERT(value.is_boolean());
            break;
        case ColumnKind::boolean:
            PAWL_ASSERT(value.is_boolean() || value.is_number() || value == json(cell));
            break;
        case ColumnKind::set:
            PAWL_ASSERT(value.is_array() && (value.size() == 0) == cell.empty());
            for (const auto& member : value)
                PAWL_ASSERT(member.is_string());
            break;
        case ColumnKind::timestamp:
        case ColumnKind::datetime:
        case ColumnKind::date:
            PAWL_ASSERT(value.is_null() ? cell.starts_with("0000-00-00") : value.is_string());
            break;
        default:
            PAWL_ASSERT(value.is_number() || value == json(cell));
    }
}

// Whether a column that holds JSON brings it along.
bool has_a_key_twice(const RowShape& shape, const RowCells& cells) {
    if (shape.body && fuzz::has_a_key_twice(*cells.at(shape.body->at))) return true;
    return std::ranges::any_of(shape.fields, [&](const FieldShape& field) {
        const auto cell = cells.at(field.cell.at);
        return field.cell.kind == ColumnKind::json && cell && fuzz::has_a_key_twice(*cell);
    });
}

void check_document(std::string_view text, const RowShape& shape, const RowCells& cells) {
    PAWL_ASSERT(text.size() <= shape.document_bytes_max);
    PAWL_ASSERT(text.find_first_of("\n\r") == text.npos);
    const auto document = fuzz::json_in(text);
    PAWL_ASSERT(document && document->is_object());
    std::size_t added = shape.constants.empty() ? 0 : 1;
    if (added == 1) PAWL_ASSERT(document->at("_res\nource") == "words");
    for (const FieldShape& field : shape.fields) {
        const auto& value =
            document->at(json::parse(field.key.substr(0, field.key.size() - 1)).get<std::string>());
        const auto cell = cells.at(field.cell.at);
        ++added;
        if (cell)
            check_value(field.cell.kind, *cell, value);
        else
            PAWL_ASSERT(value.is_null());
    }
    std::size_t members = added;
    if (shape.body) {
        const auto body = fuzz::json_in(*cells.at(shape.body->at));
        PAWL_ASSERT(body && body->is_object());
        members += body->size();
        for (const auto& [key, value] : body->items())
            PAWL_ASSERT(document->at(key) == value);
    }
    if (!has_a_key_twice(shape, cells)) PAWL_ASSERT(!fuzz::has_a_key_twice(text));
    PAWL_ASSERT(document->size() == members);
}

void check_invalid(const engine::Row& row) {
    constexpr std::array words{"entity_empty", "entity_too_long", "entity_not_utf8",   "invalid_body",
                               "key_twice",    "invalid_utf8",    "document_too_large"};
    PAWL_ASSERT(std::ranges::find(words, row.error) != words.end());
    PAWL_ASSERT(!row.document.empty() && row.document.size() <= limits::reason_bytes_max);
    PAWL_ASSERT(fuzz::is_utf8(row.document) && !fuzz::has_control_characters(row.document));
}

// One line for a delete, two for a document, each of them JSON, the first with id and version.
void check_bulk(const engine::Row& row) {
    std::string request;
    index::encode_bulk(std::array{row}, request);
    const bool is_index = row.action == engine::Action::index;
    PAWL_ASSERT(std::ranges::count(request, '\n') == (is_index ? 2 : 1) && request.ends_with('\n'));
    const auto line = fuzz::json_in(std::string_view(request).substr(0, request.find('\n')));
    PAWL_ASSERT(line && line->size() == 1);
    const auto& head = line->at(is_index ? "index" : "delete");
    PAWL_ASSERT(head.at("_id") == json(row.entity) && head.at("version") == row.revision);
    if (is_index) PAWL_ASSERT(request.substr(request.find('\n') + 1) == std::string(row.document) + "\n");
}

void check_row(const engine::Row& row, const RowShape& shape, const RowCells& cells) {
    if (row.action == engine::Action::invalid) return check_invalid(row);
    PAWL_ASSERT(!row.entity.empty() && row.entity.size() <= limits::entity_bytes_max &&
                fuzz::is_utf8(row.entity));
    if (row.action == engine::Action::remove) {
        PAWL_ASSERT(row.document.empty() && cells.at(shape.deleted->at));
    } else {
        PAWL_ASSERT(row.action == engine::Action::index);
        check_document(row.document, shape, cells);
    }
    check_bulk(row);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    constexpr std::string_view separator = "\n---\n";
    std::string_view rest(reinterpret_cast<const char*>(data), size);
    const std::string_view head = rest.substr(0, rest.find(separator));
    DocumentBuilder& builder = builder_for(head.empty() ? 'b' : head.front());
    std::uint32_t revision = 1;
    if (!head.empty()) std::from_chars(head.data() + 1, head.data() + head.size(), revision);

    // The cells come in the order of the SELECT list: revision, entity, mark of deletion, then the others.
    const std::string revision_text = std::to_string(revision);
    RowCells cells;
    cells.add(revision_text);
    while (cells.values.size() < builder.shape().select.size()) {
        const auto found = rest.find(separator);
        rest = found == rest.npos ? std::string_view("NULL") : rest.substr(found + separator.size());
        const std::string_view cell = rest.substr(0, rest.find(separator));
        cells.add(cell == "NULL" ? std::nullopt : std::optional(cell));
    }

    engine::Page page;
    const Cells row{cells.values.data(), cells.lengths.data()};
    const std::size_t bytes = builder.add(row, page);
    PAWL_ASSERT(page.rows().size() == 1);
    const engine::Row& made = page.rows().front();
    PAWL_ASSERT(made.revision == revision && bytes == made.document.size());
    check_row(made, builder.shape(), cells);
    return 0;
}
