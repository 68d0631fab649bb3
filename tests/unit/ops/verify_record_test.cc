#include "ops/verify_record.h"

#include <cstdlib>
#include <fstream>

#include <catch2/catch.hpp>

using namespace pawl;
using namespace pawl::ops;
namespace fs = std::filesystem;

namespace {

struct Folder {
    Folder() { REQUIRE(::mkdtemp(path.data()) != nullptr); }
    ~Folder() { fs::remove_all(path); }
    void write(const std::string& name, const std::string& text) const {
        std::ofstream(path + "/verified/" + name, std::ios::binary) << text;
    }
    std::string path = "/tmp/pawl-verified-XXXXXX";
};

VerifyReport report() {
    VerifyReport report;
    report.pipeline = "lex";
    report.index = "lex-1";
    report.revision = 501;
    report.entities = 3;
    report.documents = 5;
    report.quarantined = 1;
    report.unsettled = 2;
    report.took_ms = 12;
    for (const auto kind : {verify::Kind::surplus, verify::Kind::surplus, verify::Kind::missing}) {
        Difference difference;
        difference.kind = kind;
        report.differences.push_back(difference);
    }
    return report;
}

}  // namespace

TEST_CASE("what a verification has found is there until the next one") {
    const Folder folder;
    CHECK_FALSE(read_record(folder.path, "lex"));
    const auto record = record_of(report(), 1'000);
    REQUIRE(keep_record(folder.path, "lex", record));
    CHECK(read_record(folder.path, "lex") == record);
    CHECK_FALSE(read_record(folder.path, "saldo"));
    CHECK_FALSE(record.equal());
    CHECK(counts_text(record) == "1 missing, 2 surplus");
    REQUIRE(keep_record(folder.path, "lex", record_of({}, 2'000)));
    CHECK(read_record(folder.path, "lex")->equal());
    CHECK(read_record(folder.path, "lex")->at == 2'000);
}

TEST_CASE("why there was no verification is kept, whatever bytes the reason has") {
    const Folder folder;
    REQUIRE(keep_record(folder.path, "lex", {.at = 5, .error = "no \xff\n"}));
    const auto record = read_record(folder.path, "lex");
    REQUIRE(record);
    CHECK(record->at == 5);
    CHECK(record->error == "no \xef\xbf\xbd\n");
}

TEST_CASE("a record that cannot be used is as good as none") {
    const Folder folder;
    REQUIRE(keep_record(folder.path, "lex", record_of(report(), 1'000)));
    for (const char* const text : {"", "[]", "{}", R"({"at":"x"})", "\xff"}) {
        folder.write("lex.json", text);
        CHECK_FALSE(read_record(folder.path, "lex"));
    }
    folder.write("lex.json", "{" + std::string(100'000, ' ') + "}");
    CHECK_FALSE(read_record(folder.path, "lex"));
}

TEST_CASE("an adoption is noted until it is forgotten, and does not touch the record") {
    const Folder folder;
    CHECK_FALSE(noted_adoption(folder.path, "lex"));
    REQUIRE(note_adoption(folder.path, "lex", 33));
    CHECK(noted_adoption(folder.path, "lex") == 33);
    CHECK_FALSE(noted_adoption(folder.path, "saldo"));
    forget_adoption(folder.path, "lex");
    forget_adoption(folder.path, "lex");
    CHECK_FALSE(noted_adoption(folder.path, "lex"));
    REQUIRE(note_adoption(folder.path, "lex", 33));
    for (const char* const text : {"", "33", R"({"through":-1})"}) {
        folder.write("lex.adopted.json", text);
        CHECK_FALSE(noted_adoption(folder.path, "lex"));
    }
}

TEST_CASE("where nothing can be written it is an error that names the file") {
    const auto kept = keep_record("/proc/none", "lex", {});
    REQUIRE_FALSE(kept);
    CHECK_THAT(kept.error().message, Catch::Contains("/proc/none/verified/lex.json"));
}
