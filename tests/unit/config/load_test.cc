#include <catch2/catch.hpp>

#include "tests/unit/config/config_file.h"

using namespace pawl;
using test::ConfigFile;
using test::problems_of;
using test::smallest_config;
using test::with;

namespace {

using Lines = std::vector<std::string>;

// The smallest config with one more line at the end of a section.
std::string with_line(std::string_view section, std::string_view line) {
    return with(smallest_config, std::string(section) + "\n",
                std::string(section) + "\n" + std::string(line) + "\n");
}

}  // namespace

TEST_CASE("the smallest config gets the documented defaults") {
    const ConfigFile file(smallest_config);
    const auto config = config::load(file.file());
    REQUIRE(config);
    CHECK(config->file == file.file());
    CHECK(config->journal.path == "/var/lib/pawl");
    CHECK(config->journal.size_max == 1ULL << 30);
    CHECK(config->journal.on_damage == "stop");
    CHECK(config->mariadb.host == "127.0.0.1");
    CHECK(config->mariadb.port == 3306);
    CHECK(config->mariadb.password.empty());
    CHECK(config->mariadb.connect_timeout_ms == 10'000);
    CHECK(config->elasticsearch.urls == Lines{"http://127.0.0.1:9200"});
    CHECK(config->elasticsearch.request_timeout_ms == 25'000);
    CHECK(config->http.listen.empty());
    CHECK(config->verify.interval_ms == 0);
    CHECK(config->log.format == "auto");
    CHECK(config->warnings.empty());
    REQUIRE(config->pipelines.size() == 1);
    const auto& pipeline = config->pipelines.front();
    CHECK(pipeline.name == "lex");
    CHECK(pipeline.source.mode == journal::SourceMode::revision);
    CHECK(pipeline.source.deleted.empty());
    CHECK(pipeline.document.body.empty());
    CHECK(pipeline.index.create.empty());
    CHECK(pipeline.limits.batch_rows_max == 2'000);
    CHECK(pipeline.document_bytes_max == 32ULL << 20);
}

TEST_CASE("every key arrives where it belongs") {
    ::setenv("PAWL_TEST_PORT", "3307", 1);
    const ConfigFile file(R"([journal]
path = "data"
size_max = "2GiB"
on_damage = "discard"
[mariadb]
socket = "/run/mysqld/mysqld.sock"
port = "${PAWL_TEST_PORT}"
database = "karp"
user = "pawl"
password_file = "mariadb.password"
ca_file = "ca.pem"
cert_file = "ca.pem"
key_file = "ca.pem"
tls = true
connect_timeout = "1s"
read_timeout = "2m"
[elasticsearch]
urls = ["http://a:9200/", "https://b/search"]
user = "pawl"
password_file = "mariadb.password"
ca_file = "ca.pem"
gzip = true
connect_timeout = "1500ms"
request_timeout = "9s"
[[pipeline]]
name = "lex"
[pipeline.source]
mode = "revision"
table = "lex"
revision = "history_id"
entity = "entity_id"
deleted = "discarded"
[pipeline.document]
body = "body"
fields = { z = "version", a = "author" }
constants = { text = "t\"", list = [1, 2.5], table = { on = true, day = 2026-11-24 } }
[pipeline.index]
alias = "lex"
create = "lex.index.json"
[pipeline.limits]
batch_documents = 500
batch_bytes = "1MiB"
batches_open = 8
requests_in_flight = 3
quarantine = 7
gaps = 9
document_bytes = 65536
poll_interval = "10ms"
checkpoint_interval = "2s"
gap_grace = "2h"
retry_delay_min = "20ms"
retry_delay_max = "1h"
[verify]
interval = "24h"

[http]
listen = "127.0.0.1:9187"
[log]
format = "json"
level = "debug"
)");
    file.write("mariadb.password", "s3cret\n");
    file.write("ca.pem", "certificate");
    file.write("lex.index.json", R"({"settings": {}, "mappings": {}})");
    INFO((file.problems().empty() ? "" : file.problems().front()));
    const auto config = config::load(file.file());
    REQUIRE(config);
    CHECK(config->journal.path == file.folder() / "data");
    CHECK(config->journal.size_max == 2ULL << 30);
    CHECK(config->journal.on_damage == "discard");
    CHECK(config->mariadb.socket == "/run/mysqld/mysqld.sock");
    CHECK(config->mariadb.port == 3307);
    CHECK(config->mariadb.password.reveal() == "s3cret");
    CHECK(config->mariadb.ca_file == file.folder() / "ca.pem");
    CHECK(config->mariadb.tls);
    CHECK(config->mariadb.read_timeout_ms == 120'000);
    CHECK(config->elasticsearch.urls == Lines{"http://a:9200", "https://b/search"});
    CHECK(config->elasticsearch.gzip);
    CHECK(config->elasticsearch.connect_timeout_ms == 1'500);
    const auto& pipeline = config->pipelines.front();
    CHECK(pipeline.source.deleted == "discarded");
    CHECK(pipeline.document.body == "body");
    using Pairs = std::vector<std::pair<std::string, std::string>>;
    CHECK(pipeline.document.fields == Pairs{{"z", "version"}, {"a", "author"}});
    CHECK(pipeline.document.constants ==
          Pairs{{"text", R"("t\"")"}, {"list", "[1,2.5]"}, {"table", R"({"on":true,"day":"2026-11-24"})"}});
    CHECK(pipeline.index.create_body == R"({"settings": {}, "mappings": {}})");
    CHECK(pipeline.limits.batch_rows_max == 500);
    CHECK(pipeline.limits.batch_bytes_max == 1ULL << 20);
    CHECK(pipeline.limits.batches_open_max == 8);
    CHECK(pipeline.limits.requests_in_flight_max == 3);
    CHECK(pipeline.limits.quarantine_max == 7);
    CHECK(pipeline.limits.gaps_max == 9);
    CHECK(pipeline.document_bytes_max == 65'536);
    CHECK(pipeline.limits.poll_interval_ms == 10);
    CHECK(pipeline.limits.checkpoint_interval_ms == 2'000);
    CHECK(pipeline.limits.gap_grace_ms == 7'200'000);
    CHECK(pipeline.limits.retry_delay_min_ms == 20);
    CHECK(pipeline.limits.retry_delay_max_ms == 3'600'000);
    CHECK(config->http.listen == "127.0.0.1:9187");
    CHECK(config->verify.interval_ms == 86'400'000);
    CHECK(config->log.format == "json");
}

TEST_CASE("a config that is not there says how to get one") {
    const ConfigFile file;
    CHECK(file.problems() ==
          Lines{"cannot read pawl.toml: No such file or directory; give the config's path with "
                "--config; `pawl init --table TABLE` prints one"});
}

TEST_CASE("what is not TOML names line and column") {
    const auto problems = problems_of("[mariadb]\nport = = 3\n");
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().starts_with("pawl.toml:2:8: not TOML: "));
}

TEST_CASE("a character that the TOML library does not expect is an error with its line, not an abort") {
    CHECK(problems_of(with(smallest_config, "[elasticsearch]", "[$elasticsearch]")) ==
          Lines{"pawl.toml:5: not TOML: a character that cannot stand here; correct that line; "
                "https://toml.io shows how "
                "TOML is written"});
    CHECK(problems_of("[å]").size() == 1);
}

TEST_CASE("a key twice in one table is not TOML") {
    const auto problems = problems_of("[mariadb]\nport = 3\nport = 4\n");
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().starts_with("pawl.toml:3:"));
}

TEST_CASE("an unknown key names the one that was meant") {
    CHECK(problems_of(with_line("[mariadb]", "pasword_file = \"x\"")) ==
          Lines{"pawl.toml:2: mariadb.pasword_file: unknown key; did you mean \"password_file\"?; known "
                "here: host, port, "
                "socket, database, user, password, password_file, ca_file, cert_file, key_file, tls, "
                "connect_timeout, read_timeout"});
    CHECK(problems_of(std::string("'' = 1\n").append(smallest_config))
              .front()
              .starts_with("pawl.toml:1: \"\": unknown key"));
    CHECK(problems_of(std::string("jurnal = 1\n").append(smallest_config)) ==
          Lines{"pawl.toml:1: jurnal: unknown key; did you mean \"journal\"?; known here: journal, mariadb, "
                "elasticsearch, pipeline, lease, http, verify, log"});
    CHECK(problems_of(with_line("[pipeline.index]", "qqqqqqqqq = 1")) ==
          Lines{"pawl.toml:17: pipeline.index.qqqqqqqqq: unknown key; known here: alias, create"});
}

TEST_CASE("a wrong type says what was found and what was expected") {
    CHECK(
        problems_of(with_line("[mariadb]", "port = \"many\"")) ==
        Lines{
            "pawl.toml:2: mariadb.port: found \"many\" (a string), expected a whole number from 1 to 65535"});
    CHECK(problems_of(with_line("[mariadb]", "tls = 1")) ==
          Lines{"pawl.toml:2: mariadb.tls: found 1 (an integer), expected true or false"});
    CHECK(problems_of(with(smallest_config, "\"pawl\"", "[1]")) ==
          Lines{"pawl.toml:3: mariadb.user: found an array, expected the MariaDB user that pawl logs in as"});
    CHECK(problems_of(with_line("[elasticsearch]", "request_timeout = 5")) ==
          Lines{"pawl.toml:6: elasticsearch.request_timeout: found 5 (an integer), expected a time from "
                "\"100ms\" to "
                "\"10m\" (units: ms, s, m, h)"});
    CHECK(problems_of(std::string("journal = 5\n").append(smallest_config)) ==
          Lines{"pawl.toml:1: journal: found 5 (an integer), expected a table: [journal]"});
    CHECK(problems_of(with(smallest_config, "[[pipeline]]", "[pipeline]")) ==
          Lines{"pawl.toml:8: pipeline: found a table, expected 1 to 64 tables, each under [[pipeline]]"});
}

TEST_CASE("a number out of its range names the range") {
    CHECK(problems_of(with_line("[mariadb]", "port = 0")) ==
          Lines{"pawl.toml:2: mariadb.port: found 0, expected a whole number from 1 to 65535"});
    CHECK(problems_of(with_line("[mariadb]", "read_timeout = \"2h\"")) ==
          Lines{"pawl.toml:2: mariadb.read_timeout: found \"2h\", expected a time from \"1s\" to \"1h\" "
                "(units: ms, s, m, h)"});
    CHECK(problems_of("[journal]\nsize_max = \"1MiB\"\n" + std::string(smallest_config)) ==
          Lines{"pawl.toml:2: journal.size_max: found \"1MiB\", expected a size from \"16MiB\" to "
                "\"1024GiB\" (units: B, "
                "KiB, MiB, GiB)"});
    CHECK(problems_of(std::string(smallest_config) + "[pipeline.limits]\nretry_delay_min = \"1m\"\n") ==
          Lines{"pawl.toml:19: pipeline.limits.retry_delay_min: found 1m, expected at most retry_delay_max "
                "(30s)"});
}

TEST_CASE("a variable that is not set is named with file, line and key") {
    ::unsetenv("PAWL_TEST_UNSET");
    CHECK(problems_of(with(smallest_config, "\"karp\"", "\"${PAWL_TEST_UNSET}\"")) ==
          Lines{"pawl.toml:2: mariadb.database: the environment variable PAWL_TEST_UNSET is not set; set "
                "PAWL_TEST_UNSET in "
                "pawl's environment, or write the value here"});
}

TEST_CASE("a literal secret is refused without being shown") {
    for (const std::string_view line :
         {"password = \"hunter2\"", "password = \"${A}hunter2\"", "password = 12345", "password = \"\""}) {
        const auto problems = problems_of(with_line("[mariadb]", line));
        REQUIRE(problems.size() == 1);
        CHECK(problems.front() ==
              "pawl.toml:2: mariadb.password: found a literal password, expected \"${NAME}\": a secret does "
              "not belong "
              "into this file; put it into a file of mode 0600 and set password_file to its path");
    }
    const auto problems = problems_of(with(smallest_config, "http://", "http://pawl:hunter2@"));
    REQUIRE(problems.size() == 1);
    CHECK(problems.front().find("hunter2") == std::string::npos);
    CHECK(problems.front().find("elasticsearch.urls: found a url with a user or password in it") !=
          std::string::npos);
}

TEST_CASE("a secret may come from the environment or from a file of one line") {
    ::setenv("PAWL_TEST_PASSWORD", "from the environment", 1);
    const ConfigFile variable(with_line("[mariadb]", "password = \"${PAWL_TEST_PASSWORD}\""));
    CHECK(config::load(variable.file())->mariadb.password.reveal() == "from the environment");

    const ConfigFile file(with_line("[mariadb]", "password_file = \"p\""));
    CHECK(file.problems() ==
          Lines{"pawl.toml:2: mariadb.password_file: cannot read p: No such file or directory; give the "
                "path of a file that pawl's user may read"});
    file.write("p", "");
    CHECK(file.problems().front().find("p is empty, expected a secret of one line") != std::string::npos);
    file.write("p", "one\ntwo\n");
    CHECK(file.problems().front().find("p has several lines") != std::string::npos);
    file.write("p", "kept \n");
    CHECK(config::load(file.file())->mariadb.password.reveal() == "kept ");

    ::setenv("PAWL_TEST_PASSWORD", "", 1);
    CHECK(variable.problems() ==
          Lines{"pawl.toml:2: mariadb.password: ${PAWL_TEST_PASSWORD} is empty; set it to the secret"});
    CHECK(
        problems_of(with_line("[mariadb]", "password = \"${X}\"\npassword_file = \"p\"")) ==
        Lines{
            "pawl.toml:2: mariadb.password: there is a password_file too, expected one of them; remove one"});
}

TEST_CASE("a password file that everybody can read is a warning") {
    const ConfigFile file(with_line("[mariadb]", "password_file = \"p\""));
    file.write("p", "secret\n", 0644);
    const auto config = config::load(file.file());
    REQUIRE(config);
    REQUIRE(config->warnings.size() == 1);
    CHECK(config->warnings.front() == file.file().string() +
                                          ":2: mariadb.password_file: every user of this machine can read " +
                                          (file.folder() / "p").string() + "; chmod 0600 it");
}

TEST_CASE("keys that belong together are asked for together") {
    CHECK(problems_of(with_line("[elasticsearch]", "user = \"pawl\"")) ==
          Lines{"pawl.toml:5: elasticsearch.password_file: is missing, expected user and password_file "
                "together; set "
                "elasticsearch.password_file"});
    CHECK(problems_of(with_line("[mariadb]", "host = \"h\"\nsocket = \"/s\"")) ==
          Lines{"pawl.toml:3: mariadb.socket: there is a host too, expected one of them; remove one"});
}

TEST_CASE("all problems of a file are told at once, in its order") {
    CHECK(
        problems_of("[http]\nlisten = \"nowhere\"\n[log]\nformat = \"xml\"\n[mariadb]\n") ==
        Lines{
            "pawl.toml: elasticsearch.urls: is missing, expected a list such as [\"http://127.0.0.1:9200\"]; "
            "set "
            "elasticsearch.urls",
            "pawl.toml: pipeline: is missing, expected at least one [[pipeline]]; set pipeline",
            "pawl.toml:2: http.listen: found \"nowhere\", expected \"host:port\", such as \"127.0.0.1:9187\"",
            "pawl.toml:4: log.format: found \"xml\", expected one of \"auto\", \"text\", \"json\"",
            "pawl.toml:5: mariadb.database: is missing, expected the name of the database; set "
            "mariadb.database",
            "pawl.toml:5: mariadb.user: is missing, expected the MariaDB user that pawl logs in as; set "
            "mariadb.user"});
}

TEST_CASE("load returns the first problem and says how many more there are") {
    const ConfigFile file("[log]\nlevel = \"loud\"\nformat = \"xml\"\n");
    const auto config = config::load(file.file());
    REQUIRE_FALSE(config);
    CHECK(config.error().kind == ErrorKind::invalid);
    CHECK(config.error().advice.ends_with("`pawl check` lists 5 more problems"));
}

TEST_CASE("a problem stays readable however long the value or the key is") {
    const std::string most(200'000, 'x');
    for (const std::string& text :
         {"[log]\nlevel = \"" + most + "\"\n", "[log]\n" + most + " = 1\n", "[" + most + "]\n",
          "[mariadb]\nuser = \"${" + most + "}\"\n", "[mariadb]\nread_timeout = \"" + most + "\"\n",
          most + " = 1\n" + most + " = 2\n"}) {
        for (const std::string& problem : problems_of(text))
            CHECK(problem.size() < 1'500);
    }
    CHECK(problems_of("[log]\nlevel = \"" + most + "\"\n").back() ==
          "pawl.toml:2: log.level: found \"" + std::string(119, 'x') +
              "…, expected one of \"debug\", \"info\", \"warning\", \"error\"");
}
