#include "source/fill_scan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <bit>
#include <span>
#include <string_view>
#include <thread>

#include "base/assert.h"
#include "source/limits.h"
#include "source/signals.h"
#include "source/sql.h"

namespace pawl::source {
namespace {

constexpr std::uint64_t word_bits = 64;

// Whether a session in utf8mb4 gets the very bytes of the column. From other character sets two entities may
// come as one, so their bytes must be asked for; that costs the server a quarter more.
bool arrives_as_it_is(const Column& entity) {
    constexpr std::array<std::string_view, 4> same{"utf8mb4", "utf8mb3", "utf8", "ascii"};
    return !entity.is_character || std::ranges::find(same, entity.character_set) != same.end();
}

}  // namespace

FillScan::FillScan(engine::Revision first, engine::Revision through)
    : first_(first), last_(std::min(through, first + limits::fill_window - 1)), through_(through) {
    PAWL_ASSERT(first >= 1 && first <= through);
    const auto words = static_cast<std::size_t>((last_ - first_) / word_bits + 1);
    is_there_.resize(words);
    is_latest_.resize(words);
}

// Rows of one entity come together, but for entities that are equal under the collation and differ in bytes:
// those take turns. So the end of each run of equal bytes is taken for the entity's latest row. A row more
// than needed may be marked so; it is sent before the later one, and does no harm.
void FillScan::add(engine::Revision revision, std::string_view entity) {
    if (in_window(revision)) set(is_there_, revision);
    if (highest_ != 0 && entity == entity_) {
        highest_ = std::max(highest_, revision);  // the key may not sort by revision
        return;
    }
    finish();
    entity_ = entity;
    highest_ = revision;
}

void FillScan::finish() {
    if (in_window(highest_)) set(is_latest_, highest_);
}

void FillScan::set(Bits& bits, engine::Revision revision) const {
    const std::uint64_t at = revision - first_;
    bits[at / word_bits] |= std::uint64_t{1} << (at % word_bits);
}

bool FillScan::test(const Bits& bits, engine::Revision revision) const {
    if (!in_window(revision)) return false;
    const std::uint64_t at = revision - first_;
    return (bits[at / word_bits] >> (at % word_bits) & 1U) != 0;
}

std::optional<engine::Revision> FillScan::next(const Bits& bits, engine::Revision from) const {
    if (from > last_) return std::nullopt;
    const std::uint64_t at = from - first_;
    std::size_t word = at / word_bits;
    std::uint64_t left = bits[word] >> (at % word_bits) << (at % word_bits);
    while (left == 0 && ++word < bits.size())
        left = bits[word];
    if (left == 0) return std::nullopt;
    return first_ + word * word_bits + static_cast<std::uint64_t>(std::countr_zero(left));
}

void FillScan::merge(const FillScan& other) {
    PAWL_ASSERT(other.first_ == first_ && other.through_ == through_);
    for (std::size_t word = 0; word < is_there_.size(); ++word) {
        is_there_[word] |= other.is_there_[word];
        is_latest_[word] |= other.is_latest_[word];
    }
}

FillScanSql fill_scan_sql(const Table& table, const config::Source& source) {
    const Column* const entity = table.find(source.entity);
    const Key* const entity_key = entity_key_of(table, source.entity, source.revision);
    const Key* const revision_key = unique_key_of(table, source.revision);
    PAWL_ASSERT(entity != nullptr && entity_key != nullptr && revision_key != nullptr);
    const std::string revision = identifier(source.revision);
    const std::string name = identifier(entity->name);
    const std::string from =
        fmt::format("FROM {} FORCE INDEX ", table_identifier(table.database, table.name));
    const std::string bytes = arrives_as_it_is(*entity) ? name : fmt::format("CAST({} AS BINARY)", name);
    const std::string by_revision = fmt::format("{}({}) WHERE ", from, identifier(revision_key->name));
    return {.rows = fmt::format("SELECT {0}, {1} {2}({3}) WHERE {0} BETWEEN 1 AND {{}}{{}} ORDER BY {4}",
                                revision, bytes, from, identifier(entity_key->name), name),
            .half = fmt::format(" AND {0} {{}} (SELECT {0} {1}{2} = {{}})", name, by_revision, revision),
            .by_entity = fmt::format("SELECT {} {}{{}} ORDER BY {}", revision, by_revision, name),
            .revision = revision};
}

namespace {

Result<FillScan> scan(Connection& connection, const std::string& statement, engine::Revision first,
                      engine::Revision through) {
    FillScan scan(first, through);
    auto rows = connection.query(statement);
    if (!rows) return std::unexpected(std::move(rows.error()));
    for (;;) {
        const auto more = rows->next();
        if (!more) return std::unexpected(more.error());
        if (!*more) break;
        scan.add(revision_in(rows->value(0).value_or("")), rows->value(1).value_or(""));
    }
    scan.finish();
    return scan;
}

// A row whose entity is about the middle one: of a few rows that lie evenly in the history. Empty: none of
// them is there.
Result<std::optional<engine::Revision>> middle_row(Connection& connection, const FillScanSql& sql,
                                                   engine::Revision first, engine::Revision through) {
    std::vector<engine::Revision> some;
    for (std::uint64_t number = 1; number <= limits::fill_samples; ++number)
        some.push_back(first + (through - first) / (limits::fill_samples + 1) * number);
    const auto rows = connection.rows(fmt::format(fmt::runtime(sql.by_entity), among(sql.revision, some)));
    if (!rows) return std::unexpected(rows.error());
    if (rows->empty()) return std::nullopt;
    return revision_in(rows->at(rows->size() / 2).at(0).value_or(""));
}

}  // namespace

Result<FillScan> scan_for_fill(Connection& connection, Connection* second, const FillScanSql& sql,
                               engine::Revision first, engine::Revision through) {
    const auto rows_where = [&](const std::string& half) {
        return fmt::format(fmt::runtime(sql.rows), through, half);
    };
    std::optional<engine::Revision> middle;
    if (second != nullptr && through - first >= limits::fill_split_min) {
        const auto found = middle_row(connection, sql, first, through);
        if (!found) return std::unexpected(found.error());
        middle = *found;
    }
    if (!middle) return scan(connection, rows_where(""), first, through);
    const auto half = [&](const char* which) {
        return rows_where(fmt::format(fmt::runtime(sql.half), which, *middle));
    };
    std::optional<Result<FillScan>> upper;
    std::thread helper([&] {
        block_signals();
        upper = scan(*second, half(">="), first, through);
    });
    auto lower = scan(connection, half("<"), first, through);
    helper.join();
    if (!lower) return lower;
    // The second connection does not wait for locks (source/gap_proof.h).
    if (!*upper) upper = scan(connection, half(">="), first, through);
    if (!*upper) return std::unexpected(std::move(upper->error()));
    // Without that row no entity is below or above it. Rows do not come back: it was there all the time.
    const auto is_there = connection.rows(
        fmt::format(fmt::runtime(sql.by_entity), among(sql.revision, std::span(&*middle, 1))));
    if (!is_there) return std::unexpected(is_there.error());
    if (is_there->empty())
        return fail(ErrorKind::unavailable,
                    fmt::format("{}: a row of the history went away while it was read", connection.place()));
    lower->merge(**upper);
    return lower;
}

}  // namespace pawl::source
