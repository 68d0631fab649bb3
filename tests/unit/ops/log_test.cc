#include "ops/log.h"

#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

using namespace pawl;
using ops::Log;
using ops::Severity;

namespace {

// What `write` makes a log write.
template <class Write>
std::string logged(const char* format, const char* level, Write write) {
    std::FILE* const file = std::tmpfile();
    REQUIRE(file != nullptr);
    {
        Log log({format, level}, file);
        write(log);
    }
    std::rewind(file);
    std::string text(4096, '\0');
    text.resize(std::fread(text.data(), 1, text.size(), file));
    std::fclose(file);
    return text;
}

}  // namespace

TEST_CASE("a JSON line has ts, level, pipeline, msg and advice") {
    const std::string text = logged("json", "info", [](Log& log) {
        log.write(Severity::warning, "lex", "it \"broke\"\nhere", "mend it");
    });
    const auto line = nlohmann::json::parse(text);
    CHECK(line.size() == 5);
    CHECK(line["ts"].get<std::string>().size() == 24);
    CHECK(line["level"] == "warning");
    CHECK(line["pipeline"] == "lex");
    CHECK(line["msg"] == "it \"broke\"\nhere");
    CHECK(line["advice"] == "mend it");
    CHECK(text.find('\n') == text.size() - 1);
}

TEST_CASE("what is empty is left out of a JSON line") {
    const auto line = nlohmann::json::parse(
        logged("json", "info", [](Log& log) { log.write(Severity::info, "", "started"); }));
    CHECK(line.size() == 3);
}

TEST_CASE("bytes that are not UTF-8 do not break a JSON line") {
    const auto line = nlohmann::json::parse(logged("json", "info", [](Log& log) {
        log.write(Severity::info, "",
                  "a\xff"
                  "b");
    }));
    CHECK(line["msg"] ==
          "a\xef\xbf\xbd"
          "b");
}

TEST_CASE("a text line is one line and cannot steer the terminal") {
    const std::string text = logged("text", "info", [](Log& log) {
        log.write("lex", Error{ErrorKind::unavailable, "down\x1b[2J\nnow", "wait"});
    });
    CHECK(text.substr(24) == " error lex: down [2J now; wait\n");
}

TEST_CASE("what is below the level is not logged") {
    const auto write_all = [](Log& log) {
        log.debug("", "d");
        log.write(Severity::info, "", "i");
        log.write(Severity::warning, "", "w");
        log.write(Severity::error, "", "e");
    };
    const auto lines = [&](const char* level) {
        const std::string text = logged("text", level, write_all);
        return std::count(text.begin(), text.end(), '\n');
    };
    CHECK(lines("debug") == 4);
    CHECK(lines("info") == 3);
    CHECK(lines("warning") == 2);
    CHECK(lines("error") == 1);
}

TEST_CASE("curly braces in a message are only characters") {
    CHECK(logged("text", "info", [](Log& log) { log.write(Severity::info, "", "{} {0} {x"); }).substr(24) ==
          " info {} {0} {x\n");
}
