#include "source/outbox_layout.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "base/assert.h"
#include "source/outbox_check.h"
#include "source/outbox_sql.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

Result<Column> column_of(const Table& table, const std::string& name, std::string_view advice) {
    const Column* const column = table.find(name);
    if (column != nullptr) return *column;
    return fail(ErrorKind::invalid, fmt::format("table {} has no column '{}'", table.full_name(), name),
                std::string(advice));
}

Result<void> find_columns(OutboxLayout& layout, const config::EntityForm& entity) {
    const std::vector<std::string> outbox_names = outbox_columns(entity);
    for (std::size_t at = 0; at < entity.columns.size(); ++at) {
        const std::string& name = entity.columns[at];
        constexpr std::string_view advice = "name the key's columns in pipeline.source.entity";
        auto outbox = column_of(layout.outbox, outbox_names[at],
                                "let `pawl outbox-sql` show how the outbox is to be made");
        auto table = column_of(layout.table, name, advice);
        auto present = column_of(layout.present(), name, advice);
        for (auto* const found : {&outbox, &table, &present})
            if (!*found) return std::unexpected(std::move(found->error()));
        layout.key.push_back({std::move(*outbox), std::move(*table), std::move(*present)});
    }
    return {};
}

// The number of the key's column in the entity's template; its size: not there.
std::size_t place_of(const KeyPart& part, const std::vector<KeyColumn>& key) {
    const auto found = std::ranges::find_if(
        key, [&](const KeyColumn& column) { return same_name(column.table.name, part.column); });
    return static_cast<std::size_t>(found - key.begin());
}

// One row of the table is one entity only where a key of no other columns is unique.
Result<void> find_key(OutboxLayout& layout) {
    for (const Key& key : layout.table.keys) {
        if (!key.unique || !key.usable) continue;
        std::vector<std::size_t> order;
        for (const KeyPart& part : key.parts) {
            const std::size_t place = part.prefix_only ? layout.key.size() : place_of(part, layout.key);
            if (place != layout.key.size() && !layout.key[place].table.nullable) order.push_back(place);
        }
        if (order.size() != key.parts.size()) continue;
        layout.key_name = key.name;
        layout.key_order = std::move(order);
        return {};
    }
    return fail(ErrorKind::invalid,
                fmt::format("table {}: no PRIMARY or UNIQUE key consists of NOT NULL columns among {}",
                            layout.table.full_name(), fmt::join(layout.entity.columns(), ", ")),
                "name the columns of the table's primary key in pipeline.source.entity");
}

Result<void> find_id(const OutboxLayout& layout) {
    const Column* const id = layout.outbox.find(outbox_id);
    if (id != nullptr && id->auto_increment && unique_key_of(layout.outbox, outbox_id) != nullptr) return {};
    return fail(
        ErrorKind::invalid,
        fmt::format("table {}: there is no AUTO_INCREMENT primary key `id`", layout.outbox.full_name()),
        "let `pawl outbox-sql` show how the outbox is to be made");
}

}  // namespace

std::string OutboxLayout::outbox_name() const {
    return table_identifier(outbox.database, outbox.name);
}

std::string present_column(const Column& column) {
    return "`present`." + identifier(column.name);
}

Result<FitOutbox> fit_outbox(Connection& connection, const config::MariaDb& settings,
                             const config::Pipeline& pipeline) {
    const auto findings = check_outbox(connection, settings, pipeline);
    if (!findings) return std::unexpected(findings.error());
    if (auto fit = as_one_error(*findings); !fit) return std::unexpected(std::move(fit.error()));
    auto layout = describe_outbox(connection, settings, pipeline);
    if (!layout) return std::unexpected(std::move(layout.error()));
    return FitOutbox{std::move(*layout), warnings_of(*findings)};
}

Result<OutboxLayout> describe_outbox(Connection& connection, const config::MariaDb& settings,
                                     const config::Pipeline& pipeline) {
    PAWL_ASSERT(pipeline.source.outbox.has_value());
    const config::Outbox& config = *pipeline.source.outbox;
    auto outbox = describe(connection, settings.database, config.table);
    if (!outbox) return std::unexpected(std::move(outbox.error()));
    auto table = describe(connection, settings.database, pipeline.source.table);
    if (!table) return std::unexpected(std::move(table.error()));
    OutboxLayout layout{.outbox = std::move(*outbox),
                        .table = std::move(*table),
                        .view = {},
                        .entity = EntityKey(config.entity),
                        .key = {},
                        .key_name = {}};
    if (!config.kept_from.empty()) layout.kept_from = table_identifier(settings.database, config.kept_from);
    if (!config.view.empty()) {
        auto view = describe(connection, settings.database, config.view);
        if (!view) return std::unexpected(std::move(view.error()));
        layout.view = std::move(*view);
    }
    if (auto done = find_columns(layout, config.entity); !done)
        return std::unexpected(std::move(done.error()));
    if (auto done = find_key(layout); !done) return std::unexpected(std::move(done.error()));
    if (auto done = find_id(layout); !done) return std::unexpected(std::move(done.error()));
    return layout;
}

}  // namespace pawl::source
