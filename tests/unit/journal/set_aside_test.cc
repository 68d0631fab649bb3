#include "journal/set_aside.h"

#include <lmdb.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include <catch2/catch.hpp>

#include "journal/codec.h"
#include "journal/reader.h"
#include "journal/writer.h"
#include "tests/unit/journal/support.h"

using namespace pawl;
using namespace pawl::journal;
using namespace pawl::journal::test;
namespace fs = std::filesystem;

namespace {

constexpr TimeMs noon = 1'795'522'324'123;  // 2026-11-24T12:12:04.123Z

void make_sample(const fs::path& folder) {
    auto writer = Writer::open(folder);
    REQUIRE(writer);
    REQUIRE(writer->commit(sample_changes()));
}

void damage(const fs::path& file) {
    std::string bytes = read_bytes(file);
    bytes.resize(bytes.size() / 3);
    write_bytes(file, bytes);
}

// What lies in the folder beside the locks.
std::size_t data_files(const fs::path& folder) {
    std::size_t count = 0;
    for (const auto& entry : fs::directory_iterator(folder))
        if (entry.path().filename().string().starts_with("data.mdb")) ++count;
    return count;
}

SetAside must_set_aside(const fs::path& folder, SetAsideWhen when) {
    auto gone = set_aside(folder, when, noon);
    INFO((gone ? "" : to_line(gone.error())));
    REQUIRE(gone);
    REQUIRE(*gone);
    return **gone;
}

}  // namespace

TEST_CASE("a damaged journal gets another name, byte for byte and with its mode, and a new one can be made") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    damage(folder.journal() / "data.mdb");
    const std::string bytes = read_bytes(folder.journal() / "data.mdb");
    fs::permissions(folder.journal() / "data.mdb", fs::perms(0640));
    const SetAside gone = must_set_aside(folder.journal(), SetAsideWhen::damaged);
    CHECK(gone.file == folder.journal() / "data.mdb.damaged-20261124t121204z");
    CHECK_THAT(gone.damage, Catch::Contains("missing"));  // what the cut has taken
    CHECK(read_bytes(gone.file) == bytes);
    CHECK(fs::status(gone.file).permissions() == fs::perms(0640));
    CHECK_FALSE(fs::exists(folder.journal() / "data.mdb"));
    const auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    CHECK(writer->read().value().empty());
}

TEST_CASE("one that was set aside in the same second is not overwritten") {
    const TemporaryFolder folder;
    for (const char* const name : {"data.mdb.damaged-20261124t121204z", "data.mdb.damaged-20261124t121204z-2",
                                   "data.mdb.damaged-20261124t121204z-3"}) {
        make_sample(folder.journal());
        damage(folder.journal() / "data.mdb");
        CHECK(must_set_aside(folder.journal(), SetAsideWhen::damaged).file == folder.journal() / name);
    }
    CHECK(data_files(folder.journal()) == 3);
}

TEST_CASE("an empty file and one of rubbish are damaged journals") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    for (const std::string& bytes : {std::string(), std::string(100, 'x'), std::string(20'000, 'x')}) {
        write_bytes(folder.journal() / "data.mdb", bytes);
        CHECK(read_bytes(must_set_aside(folder.journal(), SetAsideWhen::damaged).file) == bytes);
    }
}

TEST_CASE("a sound journal is set aside only when somebody asks for it") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    const auto kept = set_aside(folder.journal(), SetAsideWhen::damaged, noon);
    REQUIRE(kept);
    CHECK_FALSE(*kept);
    CHECK(must_set_aside(folder.journal(), SetAsideWhen::asked_for).damage.empty());
}

TEST_CASE("a journal of a newer format is set aside only when somebody asks for it") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    const auto contents = read_journal(folder.journal()).value();
    const std::string old_value = encode_header({contents.format, contents.created_at, contents.created_by});
    const std::string new_value =
        encode_header({contents.format + 1, contents.created_at, contents.created_by});
    std::string bytes = read_bytes(folder.journal() / "data.mdb");
    for (std::size_t at = bytes.find(old_value); at != bytes.npos; at = bytes.find(old_value, at + 1))
        bytes.replace(at, new_value.size(), new_value);
    write_bytes(folder.journal() / "data.mdb", bytes);
    const auto kept = set_aside(folder.journal(), SetAsideWhen::damaged, noon);
    REQUIRE(kept);
    CHECK_FALSE(*kept);
    CHECK(read_bytes(folder.journal() / "data.mdb") == bytes);
    must_set_aside(folder.journal(), SetAsideWhen::asked_for);
}

TEST_CASE("another program's LMDB file is never set aside") {
    const TemporaryFolder folder;
    fs::create_directory(folder.journal());
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    MDB_dbi table = 0;
    REQUIRE(::mdb_env_create(&env) == 0);
    REQUIRE(::mdb_env_set_maxdbs(env, 2) == 0);
    REQUIRE(::mdb_env_open(env, folder.journal().c_str(), 0, 0600) == 0);
    REQUIRE(::mdb_txn_begin(env, nullptr, 0, &txn) == 0);
    REQUIRE(::mdb_dbi_open(txn, "theirs", MDB_CREATE, &table) == 0);
    REQUIRE(::mdb_txn_commit(txn) == 0);
    ::mdb_env_close(env);
    for (const SetAsideWhen when : {SetAsideWhen::damaged, SetAsideWhen::asked_for}) {
        const auto refused = set_aside(folder.journal(), when, noon);
        REQUIRE_FALSE(refused);
        CHECK_THAT(refused.error().message, Catch::Contains("something else"));
    }
    CHECK(data_files(folder.journal()) == 1);
}

TEST_CASE("a journal that another process works on is never set aside") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    const auto writer = Writer::open(folder.journal());
    REQUIRE(writer);
    for (const SetAsideWhen when : {SetAsideWhen::damaged, SetAsideWhen::asked_for}) {
        const auto refused = set_aside(folder.journal(), when, noon);
        REQUIRE_FALSE(refused);
        CHECK(refused.error().kind == ErrorKind::decision);
    }
    CHECK(data_files(folder.journal()) == 1);
}

TEST_CASE("where there is no journal, nothing is done and nothing is made") {
    const TemporaryFolder folder;
    const auto nothing = set_aside(folder.journal(), SetAsideWhen::asked_for, noon);
    REQUIRE(nothing);
    CHECK_FALSE(*nothing);
    CHECK_FALSE(fs::exists(folder.journal()));
}

TEST_CASE("on a full disk a damaged journal stays, with the disk named, until somebody asks for it") {
    const TemporaryFolder folder;
    const fs::path disk = folder.path() / "disk";
    fs::create_directory(disk);
    REQUIRE(::mount("tmpfs", disk.c_str(), "tmpfs", 0, "size=3m") == 0);
    struct Unmount {
        fs::path disk;
        ~Unmount() { ::umount2(disk.c_str(), MNT_DETACH); }
    } const unmount{disk};
    make_sample(disk / "journal");
    damage(disk / "journal" / "data.mdb");
    write_bytes(disk / "filler", std::string((2U << 20) + (400U << 10), 'x'));
    const auto refused = set_aside(disk / "journal", SetAsideWhen::damaged, noon);
    REQUIRE_FALSE(refused);
    CHECK(refused.error().kind == ErrorKind::storage);
    CHECK_THAT(refused.error().message, Catch::Contains("disk is full"));
    CHECK(fs::exists(disk / "journal" / "data.mdb"));
    must_set_aside(disk / "journal", SetAsideWhen::asked_for);
}

TEST_CASE("a reader of the old journal does not disturb the new one") {
    const TemporaryFolder folder;
    make_sample(folder.journal());
    // Holds the old file and its table of readers open.
    MDB_env* env = nullptr;
    MDB_txn* txn = nullptr;
    REQUIRE(::mdb_env_create(&env) == 0);
    REQUIRE(::mdb_env_open(env, folder.journal().c_str(), MDB_RDONLY, 0600) == 0);
    REQUIRE(::mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn) == 0);
    must_set_aside(folder.journal(), SetAsideWhen::asked_for);
    CHECK(in_child([&] {
              auto writer = Writer::open(folder.journal());
              return writer && writer->commit(std::vector<Change>{begin_of("lex")}) ? 7 : 1;
          }) == 7);
    ::mdb_txn_abort(txn);
    ::mdb_env_close(env);
    const auto contents = read_journal(folder.journal());
    REQUIRE(contents);
    CHECK(contents->damages.empty());
    CHECK(contents->pipelines.size() == 1);
}
