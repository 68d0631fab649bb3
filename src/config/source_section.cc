// [pipeline.source], which has other keys in each mode
#include <algorithm>

#include <fmt/core.h>

#include "config/entity_form.h"
#include "config/limits.h"
#include "config/sections.h"
#include "config/values.h"

namespace pawl::config {
namespace {

constexpr TextRule table_rule{
    [](std::string_view text) { return !text.empty() && text.size() <= limits::column_bytes_max; },
    "the name of a table"};
constexpr TextRule column_rule{table_rule.holds, "the name of a column"};
constexpr TextRule form_rule{[](std::string_view text) { return !text.empty(); },
                             "a column, or a template such as \"{tenant}/{id}\""};

void read_form(Section& section, std::string& text, EntityForm& into) {
    section.required("entity", text, form_rule);
    if (text.empty()) return;
    auto form = parse_entity_form(text);
    if (form)
        into = std::move(*form);
    else
        section.problems().found(section.place("entity"), form.error().message, form_rule.expected);
}

bool is_same_table_and_key(const JoinedTable& left, const JoinedTable& right) {
    return left.table == right.table && left.entity.columns == right.entity.columns;
}

void read_joined_table(Section section, const EntityForm& entity, std::vector<JoinedTable>& into) {
    JoinedTable joined;
    std::string text;
    section.required("table", joined.table, table_rule);
    read_form(section, text, joined.entity);
    section.finish();
    if (joined.entity.columns.empty() || entity.columns.empty()) return;  // noted already
    const Place place = section.place("entity");
    if (joined.entity.literals != entity.literals)
        section.problems().found(place, fmt::format("\"{}\"", text),
                                 "the form of pipeline.source.entity: as many columns, the same text between "
                                 "them");
    for (const JoinedTable& other : into)
        if (is_same_table_and_key(joined, other))
            section.problems().add(place, "is there already with this table", "remove one of the two");
    into.push_back(std::move(joined));
}

void read_joined(Section& section, const EntityForm& entity, std::vector<JoinedTable>& into) {
    const Node* const list = section.node("joined");
    if (list == nullptr) return;
    const Place place = section.place("joined");
    if (list->kind != NodeKind::array || list->items.size() > limits::joined_max)
        return section.problems().found(
            place,
            list->kind == NodeKind::array ? fmt::format("{} tables", list->items.size()) : describe(*list),
            fmt::format("a list of at most {} tables, each as {{ table = \"sense\", entity = \"lex_id\" }}",
                        limits::joined_max));
    for (const Node& item : list->items)
        read_joined_table(Section(&item, place.key, item.line, section.problems()), entity, into);
}

void without_meaning(Section& section, std::string_view key) {
    if (section.node(key) != nullptr)
        section.problems().warn(section.place(key), "has no meaning in revision mode");
}

void read_revision_mode(Section& section, Source& into) {
    section.required("entity", into.entity, column_rule);
    section.required("revision", into.revision, column_rule);
    section.text("deleted", into.deleted, column_rule);
    for (const std::string_view key : {"outbox", "view", "joined", "writes_outbox"})
        without_meaning(section, key);
}

void refuse_in_outbox_mode(Section& section, std::string_view key, std::string_view why) {
    if (section.node(key) != nullptr)
        section.problems().add(section.place(key),
                               fmt::format("is of revision mode, expected none in outbox mode: {}", why),
                               "remove it, or set pipeline.source.mode = \"revision\"");
}

// Whether the table is one whose changes the outbox is told.
bool is_watched(const std::string& table, const Source& source) {
    return table == source.table || std::ranges::find(source.outbox->joined, table, &JoinedTable::table) !=
                                        source.outbox->joined.end();
}

void read_outbox_mode(Section& section, Source& into) {
    Outbox& outbox = into.outbox.emplace();
    read_form(section, into.entity, outbox.entity);
    outbox.table = bounded_identifier("pawl_outbox_" + into.table);
    section.text("outbox", outbox.table, table_rule);
    section.text("view", outbox.view, table_rule);
    read_joined(section, outbox.entity, outbox.joined);
    std::string writer = "triggers";
    section.choice("writes_outbox", writer, {"triggers", "application"});
    outbox.writer = writer == "triggers" ? OutboxWriter::triggers : OutboxWriter::application;
    refuse_in_outbox_mode(section, "revision", "an outbox row's id is the revision");
    refuse_in_outbox_mode(section, "deleted", "an entity is deleted when its row is gone");
    if (is_watched(outbox.table, into))
        section.problems().found(section.place("outbox"), fmt::format("\"{}\"", outbox.table),
                                 "a table of its own: this one's changes are to be written to it");
}

}  // namespace

void read_source(Section section, Source& into) {
    std::string mode = "revision";
    section.choice("mode", mode, {"revision", "outbox"});
    into.mode = mode == "outbox" ? journal::SourceMode::outbox : journal::SourceMode::revision;
    section.required("table", into.table, table_rule);
    if (into.mode == journal::SourceMode::revision)
        read_revision_mode(section, into);
    else
        read_outbox_mode(section, into);
    section.finish();
}

}  // namespace pawl::config
