// pawl.toml as plain structs. Source and index take their part of it as it is, so that there is one set of
// settings. The reference for users is docs/configuration.md; the keys are the user's contract.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/limits.h"
#include "journal/limits.h"
#include "journal/record.h"

namespace pawl::config {

// A password or key. Prints as "***" everywhere; only the one who sends it calls reveal().
class Secret {
  public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}
    const std::string& reveal() const { return value_; }
    bool empty() const { return value_.empty(); }

  private:
    std::string value_;
};

struct Journal {
    std::filesystem::path path = "/var/lib/pawl";
    std::uint64_t size_max = journal::limits::map_bytes_max;  // bytes
    std::string on_damage = "stop";                           // or "discard": set it aside and begin anew
};

struct MariaDb {
    std::string host = "127.0.0.1";
    std::uint16_t port = 3306;
    std::string socket;  // used in place of host and port when set
    std::string database;
    std::string user;
    Secret password;        // from password_file or password = "${NAME}"
    std::string ca_file;    // when set: TLS, and the server's certificate is verified against it
    std::string cert_file;  // client certificate, with key_file
    std::string key_file;
    bool tls = false;  // TLS is required even without ca_file
    TimeMs connect_timeout_ms = 10'000;
    TimeMs read_timeout_ms = 60'000;
};

struct Elasticsearch {
    std::vector<std::string>
        urls;  // tried in turn; "http://host:port" or "https://…", a path prefix is allowed
    std::string user;
    Secret password;
    Secret api_key;  // sent as "Authorization: ApiKey …"
    std::string ca_file;
    bool gzip = false;  // compress requests
    TimeMs connect_timeout_ms = 5'000;
    TimeMs request_timeout_ms = 25'000;  // shorter than half of gc_deletes: no request may outlive that
};

// How an entity's id is made of a row's columns: literal, column, literal, column, …, literal. A column alone
// stands between two empty literals.
struct EntityForm {
    std::vector<std::string> columns;   // 1 to limits::entity_columns_max
    std::vector<std::string> literals;  // one more than columns
};

// A further table whose rows belong to an entity.
struct JoinedTable {
    std::string table;
    EntityForm entity;  // the same literals as the pipeline's; its columns stand for that one's in turn
};

// Who writes the keys of changed entities into an outbox.
enum class OutboxWriter : std::uint8_t { triggers, application };

// What outbox mode adds to [pipeline.source].
struct Outbox {
    std::string table;  // into which `writer` writes the keys of changed entities
    EntityForm entity;  // of the source's table and of its view
    std::string view;   // that documents are read from in place of the table; empty: the table
    std::vector<JoinedTable> joined;
    OutboxWriter writer = OutboxWriter::triggers;  // triggers that are missing are an error then
    // Of a rebuild, never in a file: the outbox whose rows `table` gets when they are deleted there. The
    // index that is fed from here is fed for that one.
    std::string kept_from = {};
};

// [pipeline.source]
struct Source {
    journal::SourceMode mode = journal::SourceMode::revision;
    std::string table;
    std::string revision;          // column; revision mode
    std::string entity;            // column; outbox mode: as it is written, and outbox->entity takes it apart
    std::string deleted;           // column; revision mode; empty: rows never delete
    std::optional<Outbox> outbox;  // outbox mode, and only there
};

// [pipeline.document]
struct Document {
    std::string body;  // column; empty: every column becomes a field of its own name
    std::vector<std::pair<std::string, std::string>> fields;     // field of the document ← column
    std::vector<std::pair<std::string, std::string>> constants;  // field ← JSON text of the value
};

// [pipeline.index]
struct Index {
    std::string alias;
    std::filesystem::path create;  // JSON file {"settings": …, "mappings": …}; empty: pawl creates nothing
    std::string create_body;       // its content, checked to be a JSON object
    std::string created_as = {};   // an index that pawl creates is called <this>-<UTC time>; empty: the alias
};

struct Pipeline {
    std::string name;
    Source source;
    Document document;
    Index index;
    engine::Limits limits;
    std::uint64_t document_bytes_max = 32ULL << 20;  // a larger document goes to quarantine
};

// What the pipeline's revisions are revisions of: the history, or the outbox.
inline journal::SourceIdentity identity_of_source(const MariaDb& mariadb, const Pipeline& pipeline) {
    const Source& source = pipeline.source;
    if (!source.outbox) return {source.mode, mariadb.database, source.table};
    const Outbox& outbox = *source.outbox;
    return {source.mode, mariadb.database, outbox.kept_from.empty() ? outbox.table : outbox.kept_from};
}

// Outbox mode: of which entities the outbox speaks, "lex by {id}". Else empty.
std::string entities_of(const Pipeline& pipeline);

// [lease]
struct Lease {
    std::uint32_t pipelines_max = 0;  // that `pawl run` feeds at a time; 0: all
};

// [http]
struct Http {
    std::string listen;  // "host:port"; empty: none
};

// [verify]
struct Verify {
    TimeMs interval_ms = 0;  // between two verifications by `pawl run`; 0: none
};

// [log]
struct Log {
    std::string format = "auto";  // "text", "json"; auto: text on a terminal, JSON otherwise
    std::string level = "info";   // "debug", "info", "warning", "error"
};

struct Config {
    std::filesystem::path file;
    Journal journal;
    MariaDb mariadb;
    Elasticsearch elasticsearch;
    std::vector<Pipeline> pipelines;
    Lease lease;
    Http http;
    Verify verify;
    Log log;
    std::vector<std::string> warnings;  // nothing that stops pawl, but an operator should read it
};

// Reads, expands ${NAME}, reads secret files and `create`, validates all of it. Relative paths start at the
// config's folder. Opens no connection and writes nothing.
// Errors, kind invalid: every one names file, line, key, what was found and what was expected; unknown keys
// are errors, with the nearest known one named. All problems that can be seen at once, in the order of the
// file.
std::expected<Config, std::vector<Error>> load_all(const std::filesystem::path& file);

// The same for those who need one error: the first, whose advice says how many more there are.
Result<Config> load(const std::filesystem::path& file);

}  // namespace pawl::config
