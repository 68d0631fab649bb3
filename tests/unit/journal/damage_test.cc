// Cut, flipped and forged journals: never a crash, never a silent change of what was written.
#include <lmdb.h>

#include <map>
#include <random>

#include <catch2/catch.hpp>

#include "journal/codec.h"
#include "journal/format.h"
#include "journal/lock.h"
#include "journal/page_check.h"
#include "journal/reader.h"
#include "journal/writer.h"
#include "tests/unit/journal/page_builder.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;
namespace fs = std::filesystem;

namespace {

// The sample in several commits, so that both snapshots and the list of free pages are as in real life.
std::vector<PipelineSnapshot> make_sample(const fs::path& folder) {
    auto writer = Writer::open(folder);
    REQUIRE(writer);
    for (const Change& change : sample_changes())
        REQUIRE(writer->commit(std::vector<Change>{change}));
    return writer->read().value();
}

enum Verdict : int {
    same = 10,
    damage_named = 11,
    refused = 12,
    changed_silently = 13,
    reader_and_writer_differ = 14
};

// What reading and opening say of a data file; in the process that calls it.
int judge(const fs::path& folder, const std::vector<PipelineSnapshot>& written) {
    const auto contents = read_journal(folder);
    const std::string before = read_bytes(folder / "data.mdb");
    auto writer = Writer::open(folder);
    if (!writer && read_bytes(folder / "data.mdb") != before) return changed_silently;
    if (!contents) {
        if (writer || contents.error().message.empty()) return reader_and_writer_differ;
        return refused;
    }
    if (!contents->damages.empty()) {
        for (const Damage& damage : contents->damages)
            if (damage.where.empty() || damage.what.empty()) return reader_and_writer_differ;
        return writer ? reader_and_writer_differ : damage_named;
    }
    if (!equal(contents->pipelines, written)) return changed_silently;
    if (!writer) return reader_and_writer_differ;
    // LMDB believes the file now. Let it work on every part of it.
    const auto read = writer->read();
    if (!read || !equal(*read, written)) return changed_silently;
    const BatchId next = written.at(0).pipeline.last_batch + 1;
    for (BatchId id = next; id < next + 5; ++id)
        if (!writer->commit(std::vector<Change>{open_of("lex", id, 20'000 + id, 20'000 + id)}))
            return changed_silently;
    if (!writer->commit(std::vector<Change>{begin_of("lex"), DropQuarantine{"lex", {}}}))
        return changed_silently;
    writer = fail(ErrorKind::storage, "closed");
    const auto after = read_journal(folder);
    if (!after || !after->damages.empty()) return changed_silently;
    return same;
}

int judge_in_child(const fs::path& folder, const std::string& bytes,
                   const std::vector<PipelineSnapshot>& written) {
    const fs::path copy = folder / "copy";
    fs::remove_all(copy);
    fs::create_directory(copy);
    write_bytes(copy / "data.mdb", bytes);
    return in_child([&] { return judge(copy, written); });
}

// The header's value again, with a number that this pawl does not know in it and a checksum that is right.
void make_newer(const fs::path& folder) {
    std::string bytes = read_bytes(folder / "data.mdb");
    const auto contents = read_journal(folder).value();
    const Header header{format::version, contents.created_at, contents.created_by};
    const std::string old_value = encode_header(header);
    const std::string new_value = encode_header({format::version + 1, header.created_at, header.created_by});
    REQUIRE(old_value.size() == new_value.size());
    std::size_t found = 0;
    for (std::size_t at = bytes.find(old_value); at != bytes.npos;
         at = bytes.find(old_value, at + 1), ++found)
        bytes.replace(at, new_value.size(), new_value);
    REQUIRE(found > 0);
    write_bytes(folder / "data.mdb", bytes);
}

int remove_from_meta(MDB_txn* txn, std::string_view name) {
    MDB_dbi handle = 0;
    if (const int status = ::mdb_dbi_open(txn, "meta", 0, &handle); status != MDB_SUCCESS) return status;
    MDB_val key{name.size(), const_cast<char*>(name.data())};
    return ::mdb_del(txn, handle, &key, nullptr);
}

// A transaction of another program's, with a commit record as pawl writes it, but with the sum of before.
void change_with_lmdb(const fs::path& folder, const std::function<int(MDB_txn*)>& change) {
    MDB_env* env = nullptr;
    REQUIRE(::mdb_env_create(&env) == MDB_SUCCESS);
    REQUIRE(::mdb_env_set_maxdbs(env, 10) == MDB_SUCCESS);
    REQUIRE(::mdb_env_open(env, folder.c_str(), 0, 0600) == MDB_SUCCESS);
    MDB_txn* txn = nullptr;
    REQUIRE(::mdb_txn_begin(env, nullptr, 0, &txn) == MDB_SUCCESS);
    REQUIRE(change(txn) == MDB_SUCCESS);
    MDB_dbi meta = 0;
    REQUIRE(::mdb_dbi_open(txn, "meta", 0, &meta) == MDB_SUCCESS);
    MDB_val key{format::commit_key.size(), const_cast<char*>(format::commit_key.data())};
    MDB_val value{};
    REQUIRE(::mdb_get(txn, meta, &key, &value) == MDB_SUCCESS);
    const std::string_view before(static_cast<const char*>(value.mv_data), value.mv_size);
    const std::string content =
        encode_commit(::mdb_txn_id(txn), decode_commit(format::commit_key, before).value().sum.value());
    value = {content.size(), const_cast<char*>(content.data())};
    REQUIRE(::mdb_put(txn, meta, &key, &value, 0) == MDB_SUCCESS);
    REQUIRE(::mdb_txn_commit(txn) == MDB_SUCCESS);
    ::mdb_env_close(env);
}

}  // namespace

TEST_CASE("a file that is cut at any page is refused with its place, and never crashes") {
    const TemporaryFolder folder;
    const auto written = make_sample(folder.journal());
    const std::string bytes = read_bytes(folder.journal() / "data.mdb");
    int named = 0;
    for (std::size_t length = 0; length < bytes.size(); length += page_bytes / 2) {
        const int verdict = judge_in_child(folder.path(), bytes.substr(0, length), written);
        INFO("cut to " << length << " of " << bytes.size() << " bytes");
        // The last pages of a file may be free ones; without them it is the same journal.
        const bool sound = verdict == same || verdict == damage_named || verdict == refused;
        CHECK(sound);
        if (verdict != same) ++named;
        if (length < bytes.size() / 2) CHECK(verdict != same);
    }
    CHECK(named > 3);
}

TEST_CASE("a flipped bit is named or harmless, and never crashes") {
    const TemporaryFolder folder;
    const auto written = make_sample(folder.journal());
    const std::string bytes = read_bytes(folder.journal() / "data.mdb");
    std::mt19937 random(17);  // NOLINT(bugprone-random-generator-seed): the same every time
    std::uniform_int_distribution<std::size_t> any_bit(0, bytes.size() * 8 - 1);
    std::uniform_int_distribution<std::size_t> head_bit(0, 24 * 8 - 1);
    std::uniform_int_distribution<std::size_t> meta_bit(0, 160 * 8 - 1);
    std::uniform_int_distribution<std::size_t> any_page(0, bytes.size() / page_bytes - 1);
    std::map<int, int> verdicts;
    for (int i = 0; i < 400; ++i) {
        std::size_t bit = any_bit(random);
        if (i % 3 == 1) bit = any_page(random) * page_bytes * 8 + head_bit(random);
        if (i % 3 == 2) bit = (i / 3 % 2) * page_bytes * 8 + meta_bit(random);
        std::string flipped = bytes;
        flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
        const int verdict = judge_in_child(folder.path(), flipped, written);
        ++verdicts[verdict];
        INFO("bit " << bit % 8 << " of byte " << bit / 8 % page_bytes << " of page " << bit / 8 / page_bytes
                    << ": verdict " << verdict);
        const bool sound = verdict == same || verdict == damage_named || verdict == refused;
        REQUIRE(sound);
    }
    CHECK(verdicts[same] > 0);
    CHECK(verdicts[damage_named] > 50);
}

TEST_CASE("a page of rubbish costs its records and no others") {
    const TemporaryFolder folder;
    const auto written = make_sample(folder.journal());
    const std::string bytes = read_bytes(folder.journal() / "data.mdb");
    std::size_t most_batches_left = 0;
    for (std::size_t page = 2; page < bytes.size() / page_bytes; ++page) {
        std::string broken = bytes;
        broken.replace(page * page_bytes, page_bytes, page_bytes, '\xa5');
        write_bytes(folder.path() / "data.mdb", broken);
        const auto contents = read_journal(folder.path());
        INFO("page " << page);
        REQUIRE(contents);
        if (contents->damages.empty()) {
            CHECK(equal(contents->pipelines, written));
            continue;
        }
        CHECK_FALSE(Writer::open(folder.path()));
        for (const PipelineSnapshot& snapshot : contents->pipelines) {
            // Whatever is shown was written.
            const auto& original = written.at(snapshot.pipeline.name == "lex" ? 0 : 1);
            for (const Batch& batch : snapshot.batches)
                CHECK(batch == original.batches.at(batch.id - 1));
            if (snapshot.batches.size() < original.batches.size())
                most_batches_left = std::max(most_batches_left, snapshot.batches.size());
        }
    }
    CHECK(most_batches_left >= 20);  // of 60: a leaf was lost, the others are shown
}

TEST_CASE("a damage says what, where and what to do") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    std::string bytes = read_bytes(folder.journal() / "data.mdb");
    const std::string last_key = batch_key("lex", 60);
    // The newest copy of a record lies anywhere; all of them are hit.
    for (std::size_t at = bytes.find(last_key); at != bytes.npos; at = bytes.find(last_key, at + 1))
        bytes[at + last_key.size() + 20] ^= 1;
    write_bytes(folder.journal() / "data.mdb", bytes);
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    REQUIRE(contents->damages.size() == 1);
    CHECK(contents->damages.front().where == "table batches, key " + to_hex(last_key));
    CHECK(contents->damages.front().what == "checksum differs");
    CHECK(contents->pipelines.at(0).batches.size() == 59);
    const auto writer = Writer::open(folder.journal());
    REQUIRE_FALSE(writer);
    CHECK(writer.error().kind == ErrorKind::storage);
    CHECK_THAT(writer.error().message, Catch::Contains("is damaged: table batches, key 6c657800") &&
                                           Catch::Contains("checksum differs"));
    CHECK_THAT(writer.error().advice,
               Catch::Contains("pawl dump") && Catch::Contains("pawl recover --discard-journal"));
}

TEST_CASE("a journal of a newer format is refused by both, with both numbers") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    make_newer(folder.journal());
    const std::string bytes = read_bytes(folder.journal() / "data.mdb");
    const auto read = read_journal(folder.journal());
    REQUIRE_FALSE(read);
    const auto writer = Writer::open(folder.journal());
    REQUIRE_FALSE(writer);
    for (const Error& error : {read.error(), writer.error()}) {
        CHECK(error.kind == ErrorKind::storage);
        CHECK_THAT(error.message, Catch::Contains("has format 7") && Catch::Contains("up to 6"));
    }
    CHECK(read_bytes(folder.journal() / "data.mdb") == bytes);
}

TEST_CASE("a journal of a newer format is refused also while its pawl works on it") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    make_newer(folder.journal());
    const LiveProcess newer_pawl([&]() -> std::shared_ptr<void> {
        auto lock = WriterLock::take(folder.journal());
        return lock ? std::make_shared<WriterLock>(std::move(*lock)) : nullptr;
    });
    const auto read = read_journal(folder.journal());
    REQUIRE_FALSE(read);
    CHECK(read.error().kind == ErrorKind::storage);
    CHECK_THAT(read.error().message, Catch::Contains("has format 7") && Catch::Contains("up to 6"));
}

TEST_CASE("a journal without its header, or with a table that nobody knows, is damaged and not foreign") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    const auto only_damage = [&](auto change, std::string_view where, std::string_view what) {
        const fs::path copy = folder.path() / "copy";
        fs::remove_all(copy);
        fs::create_directory(copy);
        fs::copy(folder.journal() / "data.mdb", copy / "data.mdb");
        change_with_lmdb(copy, change);
        const auto contents = read_journal(copy);
        REQUIRE(contents);
        REQUIRE(contents->damages.size() == 1);
        CHECK(contents->damages.front().where == where);
        CHECK(contents->damages.front().what == what);
        CHECK(contents->pipelines.size() == 2);
        CHECK_FALSE(Writer::open(copy));
    };
    only_damage([](MDB_txn* txn) { return remove_from_meta(txn, format::header_key); },
                "table meta, key " + to_hex(format::header_key), "it is missing");
    only_damage(
        [](MDB_txn* txn) {
            MDB_dbi handle = 0;
            return ::mdb_dbi_open(txn, "outbox", MDB_CREATE, &handle);
        },
        "table outbox", "it is unknown");
}

TEST_CASE("a commit record that is not whole is a damage, whatever its meta page says") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    std::string bytes = read_bytes(folder.journal() / "data.mdb");
    const std::string key(format::commit_key);
    std::size_t found = 0;
    for (std::size_t at = bytes.find(key); at != bytes.npos; at = bytes.find(key, at + 1), ++found)
        bytes[at + key.size() + format::commit::transaction_offset] ^= 1;
    REQUIRE(found > 0);
    write_bytes(folder.journal() / "data.mdb", bytes);
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    REQUIRE_FALSE(contents->damages.empty());
    CHECK(contents->damages.front().where == "table meta, key " + to_hex(key));
    CHECK(contents->damages.front().what == "checksum differs");
    CHECK_FALSE(Writer::open(folder.journal()));
}

TEST_CASE("meta pages that differ in the page size are a damage") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    std::string bytes = read_bytes(folder.journal() / "data.mdb");
    constexpr std::size_t page_bytes_at = 16 + 24;  // behind the page's header and MDB_meta's first fields
    set_number(bytes, page_bytes + page_bytes_at, 2 * page_bytes, 4);
    write_bytes(folder.journal() / "data.mdb", bytes);
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    CHECK(std::ranges::any_of(contents->damages, [](const Damage& damage) {
        return damage.where == "pages 0 and 1 (meta)" && damage.what == "they differ in the page size";
    }));
    CHECK_FALSE(Writer::open(folder.journal()));
}
