// The sum in the commit record: what tells pages from before a later change, which are whole and contradict
// nothing.
#include <optional>
#include <set>

#include <catch2/catch.hpp>

#include "journal/codec.h"
#include "journal/environment.h"
#include "journal/limits.h"
#include "journal/lock.h"
#include "tests/unit/journal/page_builder.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;
using format::Table;
namespace fs = std::filesystem;

namespace {

Environment open_environment(const fs::path& folder) {
    auto environment = Environment::open_to_write(folder, limits::map_bytes_initial);
    REQUIRE(environment);
    return std::move(*environment);
}

Transaction begin_write(Environment& environment) {
    auto transaction = environment.begin_write();
    REQUIRE(transaction);
    return std::move(*transaction);
}

Commit commit_record(const Environment& environment) {
    auto transaction = environment.begin_read();
    REQUIRE(transaction);
    return decode_commit(format::commit_key,
                         transaction->get(Table::meta, format::commit_key).value().value())
        .value();
}

// Added up over all tables, by the last eight bytes of each value.
std::uint64_t counted(const Environment& environment) {
    auto transaction = environment.begin_read();
    REQUIRE(transaction);
    std::uint64_t sum = 0;
    for (const Table table : {Table::meta, Table::pipelines, Table::gaps, Table::batches, Table::quarantine})
        REQUIRE(transaction->each(table, {}, [&](std::string_view key, std::string_view value) {
            if (key == format::commit_key) return;
            std::uint64_t checksum = 0;
            for (std::size_t i = 1; i <= 8; ++i)
                checksum = checksum << 8 | static_cast<unsigned char>(value[value.size() - i]);
            sum += checksum;
        }));
    return sum;
}

Commit commit_record(const fs::path& folder) {
    return commit_record(open_environment(folder));
}

// Another sum in the newest commit record, under a checksum that is right.
void replace_sum(const fs::path& folder, std::uint64_t sum) {
    const Commit now = commit_record(folder);
    const std::string written = encode_commit(now.transaction, now.sum.value());
    std::string bytes = read_bytes(folder / "data.mdb");
    const auto at = bytes.find(written);
    REQUIRE(at != bytes.npos);
    write_bytes(folder / "data.mdb", bytes.replace(at, written.size(), encode_commit(now.transaction, sum)));
}

// What a disk that lies does: records change, and the sum stays as it was.
void change_unsummed(const fs::path& folder, const std::function<void(Transaction&)>& change) {
    const std::uint64_t sum = commit_record(folder).sum.value();
    {
        Environment environment = open_environment(folder);
        Transaction transaction = begin_write(environment);
        change(transaction);
        REQUIRE(transaction.commit());
    }
    REQUIRE(commit_record(folder).sum != sum);
    replace_sum(folder, sum);
}

// What both readers say of the only damage, which is that of the sum.
void expect_wrong_sum(const fs::path& folder) {
    const auto expect_in = [](const Result<Contents>& contents) {
        REQUIRE(contents);
        REQUIRE(contents->damages.size() == 1);
        CHECK(contents->damages.front().where == "table meta, key 636f6d6d6974");
        CHECK_THAT(contents->damages.front().what,
                   Catch::Contains("sum of all records' checksums") && Catch::Contains("the disk has lost"));
        CHECK_FALSE(contents->pipelines.empty());
    };
    const auto by_pages = read_journal(folder);
    expect_in(by_pages);
    const auto refused = Writer::open(folder);
    REQUIRE_FALSE(refused);
    CHECK_THAT(refused.error().message, Catch::Contains("sum of all records' checksums"));
    // LMDB reads where a writer has the lock.
    const LiveProcess writer([&]() -> std::shared_ptr<void> {
        auto lock = WriterLock::take(folder);
        return lock ? std::make_shared<WriterLock>(std::move(*lock)) : nullptr;
    });
    const auto by_lmdb = read_journal(folder);
    expect_in(by_lmdb);
    CHECK(by_lmdb->writer_pid == writer.pid());
    CHECK(by_lmdb->damages.front().what == by_pages->damages.front().what);
}

void make_sample(const fs::path& folder) {
    auto writer = Writer::open(folder);
    REQUIRE(writer);
    REQUIRE(writer->commit(sample_changes()));
}

}  // namespace

TEST_CASE("the sum follows every record that is put, replaced or erased, whatever the order") {
    const TemporaryFolder folder;
    REQUIRE(Writer::open(folder.journal()));
    Environment environment = open_environment(folder.journal());
    std::set<std::uint64_t> sums{commit_record(environment).sum.value()};
    CHECK(sums.contains(counted(environment)));
    const auto after = [&](const std::function<void(Transaction&)>& change) {
        Transaction transaction = begin_write(environment);
        change(transaction);
        REQUIRE(transaction.commit());
        const std::uint64_t sum = commit_record(environment).sum.value();
        CHECK(sum == counted(environment));
        return sum;
    };
    const auto put = [](Transaction& transaction, const OpenBatch& open) {
        const std::string key = batch_key(open.batch.pipeline, open.batch.id);
        REQUIRE(transaction.put(Table::batches, key, encode_batch(open.batch)));
    };
    const auto erase = [](Transaction& transaction, BatchId id) {
        REQUIRE(transaction.erase(Table::batches, batch_key("lex", id)));
    };
    OpenBatch large = open_of("lex", 2, 30, 40);
    for (Revision revision = 100; revision < 40'000; revision += 3)
        large.batch.revisions.insert(revision);
    const std::uint64_t one = after([&](auto& txn) { put(txn, open_of("lex", 1, 1, 9)); });
    CHECK(sums.insert(one).second);
    CHECK(sums.insert(after([&](auto& txn) { put(txn, open_of("lex", 1, 1, 10)); })).second);
    CHECK(sums.insert(after([&](auto& txn) { put(txn, large); })).second);
    // Put, replaced and erased in one transaction; what is not there; what changes nothing.
    CHECK(after([&](auto& txn) {
              erase(txn, 2);
              put(txn, open_of("lex", 3, 50, 60));
              put(txn, open_of("lex", 3, 50, 61));
              put(txn, open_of("lex", 1, 1, 9));
              erase(txn, 3);
              erase(txn, 3);
          }) == one);
    CHECK(after([&](auto& txn) { erase(txn, 7); }) == one);
    CHECK(after([&](auto& txn) { put(txn, open_of("lex", 1, 1, 9)); }) == one);
    CHECK(sums.contains(after([&](auto& txn) { erase(txn, 1); })));  // a new journal's
}

TEST_CASE("a journal of a format without sums gets one when a writer opens it") {
    const std::string format = GENERATE("format-1", "format-2", "format-3", "format-4");
    const TemporaryFolder folder;
    fs::create_directory(folder.journal());
    fs::copy(fs::path(PAWL_JOURNAL_FOLDER) / "testdata" / format / "data.mdb", folder.journal());
    CHECK_FALSE(commit_record(folder.journal()).sum);
    REQUIRE(Writer::open(folder.journal()));
    const Environment environment = open_environment(folder.journal());
    CHECK(commit_record(environment).sum == counted(environment));
}

TEST_CASE("a transaction that is given up leaves the sum and the commit record as they were") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    Environment environment = open_environment(folder.journal());
    const Commit before = commit_record(environment);
    {
        Transaction given_up = begin_write(environment);
        REQUIRE(given_up.erase(Table::gaps, "lex"));
    }
    CHECK(commit_record(environment) == before);
    CHECK(counted(environment) == before.sum);
}

TEST_CASE("without a commit record nothing is committed") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    Environment environment = open_environment(folder.journal());
    {
        Transaction transaction = begin_write(environment);
        REQUIRE(transaction.erase(Table::meta, format::commit_key));
        const auto failed = transaction.commit();
        REQUIRE_FALSE(failed);
        CHECK(failed.error().kind == ErrorKind::storage);
        CHECK_THAT(failed.error().message, Catch::Contains("table meta, key 636f6d6d6974: "));
    }
    CHECK(commit_record(environment).sum == counted(environment));
}

TEST_CASE("a record that is hidden, shown again, or as it was before is a damage, to both readers") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    SECTION("hidden") {
        change_unsummed(folder.journal(), [](Transaction& transaction) {
            REQUIRE(transaction.erase(Table::quarantine, quarantine_key("lex", "entity-2")));
        });
    }
    SECTION("shown again") {
        change_unsummed(folder.journal(), [](Transaction& transaction) {
            const std::string key = quarantine_key("lex", "entity-1");
            REQUIRE(transaction.put(Table::quarantine, key,
                                    encode_quarantine(key, entry_of("lex", "entity-1", 1))));
        });
    }
    SECTION("as it was before") {
        change_unsummed(folder.journal(), [](Transaction& transaction) {
            REQUIRE(transaction.put(Table::batches, batch_key("lex", 58),
                                    encode_batch(open_of("lex", 58, 5'800, 5'849).batch)));
        });
    }
    expect_wrong_sum(folder.journal());
}

TEST_CASE("a sum that is another one, under a right checksum, is a damage") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    replace_sum(folder.journal(), commit_record(folder.journal()).sum.value() ^ 1);
    expect_wrong_sum(folder.journal());
}

TEST_CASE("beside another damage the sum is not told") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    change_unsummed(folder.journal(), [](Transaction& transaction) {
        REQUIRE(transaction.put(Table::gaps, "lex", "no record"));
    });
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    REQUIRE(contents->damages.size() == 1);
    CHECK(contents->damages.front().where == "table gaps, key 6c6578");
    CHECK(contents->damages.front().what == "checksum differs");
}

TEST_CASE("a page from before a later commit is named or changes nothing") {
    const TemporaryFolder folder;
    std::vector<std::string> before;
    {
        auto writer = Writer::open(folder.journal());
        REQUIRE(writer);
        REQUIRE(writer->commit(sample_changes()));
        // Every commit writes the same tables, so that a page is of the same one again and again.
        for (TimeMs at = 1; at <= 30; ++at) {
            REQUIRE(writer->commit(std::vector<Change>{SetCondition{"lex", Condition::retrying, "", at}}));
            before.push_back(read_bytes(folder.journal() / "data.mdb"));
        }
    }
    const auto written = read_journal(folder.journal()).value().pipelines;
    const std::string last = before.back();
    std::size_t by_sum_only = 0;
    std::size_t unchanged = 0;
    for (const std::string& old : before) {
        for (std::size_t at = 2 * page_bytes; at < std::min(old.size(), last.size()); at += page_bytes) {
            if (old.compare(at, page_bytes, last, at, page_bytes) == 0) continue;
            std::string mixed = last;
            write_bytes(folder.path() / "data.mdb", mixed.replace(at, page_bytes, old, at, page_bytes));
            const auto contents = read_journal(folder.path());
            INFO("page " << at / page_bytes);
            REQUIRE(contents);
            if (contents->damages.empty()) {
                ++unchanged;
                REQUIRE(equal(contents->pipelines, written));
            } else if (contents->damages.front().what.find("sum of all records") != std::string::npos) {
                ++by_sum_only;
            }
        }
    }
    CHECK(unchanged > 0);
    CHECK(by_sum_only > 0);
}
