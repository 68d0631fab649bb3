#include "tests/integration/index/real_index.h"

#include <fmt/core.h>
#include <unistd.h>

namespace pawl::test {

const char* const index_body = R"({
    "settings": {"number_of_shards": 1, "number_of_replicas": 0},
    "mappings": {"dynamic": "strict", "properties": {
        "n": {"type": "long"}, "k": {"type": "keyword"}, "d": {"type": "date"},
        "t": {"type": "text", "index": false}}}})";

RealIndex::RealIndex(config::Elasticsearch settings) : settings_(std::move(settings)) {
    client_ = std::move(index::HttpClient::make(settings_).value());
    session_ = std::make_unique<index::HttpSession>(*client_);
}

RealIndex::~RealIndex() {
    port_.reset();
    if (!index_.alias.empty()) delete_index();
}

void RealIndex::begin() {
    begin_without_index(true);
}

void RealIndex::begin_without_index(bool may_create) {
    static int count = 0;
    port_.reset();
    if (!index_.alias.empty()) delete_index();
    index_ = {"pawl-test-" + std::to_string(::getpid()) + "-" + std::to_string(++count), "test.index.json",
              may_create ? index_body : ""};
    port_ = std::make_unique<index::ElasticsearchIndex>(*client_, settings_, index_, inbox_);
}

std::optional<nlohmann::json> RealIndex::found(const std::string& entity) {
    const auto response = ask(index::Method::get, "/" + index_.alias + "/_doc/" +
                                                      index::percent_encoded(entity) + "?realtime=true");
    if (response.status == 404) return {};
    REQUIRE(response.status == 200);
    return nlohmann::json::parse(response.body);
}

std::optional<std::string> RealIndex::document(const std::string& entity) {
    const auto answer = found(entity);
    if (!answer) return {};
    return (*answer)["_source"].dump();
}

std::optional<std::uint64_t> RealIndex::version(const std::string& entity) {
    const auto answer = found(entity);
    if (!answer) return {};
    return (*answer)["_version"].get<std::uint64_t>();
}

void RealIndex::delete_index() {
    // By name, not by wildcard: some versions forbid that.
    for (const auto* const pattern : {"", "-*"}) {
        const auto names = ask(index::Method::get, "/" + index_.alias + pattern + "/_alias");
        if (names.status != 200) continue;
        const auto indices = nlohmann::json::parse(names.body);
        for (const auto& [name, aliases] : indices.items())
            CHECK(ask(index::Method::remove, "/" + name).status == 200);
    }
}

void RealIndex::move_alias() {
    static int count = 0;
    const std::string name = index_.alias + "-moved-" + std::to_string(++count);
    must(index::Method::put, "/" + name, index_body);
    must(index::Method::post, "/_aliases",
         fmt::format(R"({{"actions":[{{"remove":{{"index":"{0}-*","alias":"{0}"}}}},)"
                     R"({{"add":{{"index":"{1}","alias":"{0}","is_write_index":true}}}}]}})",
                     index_.alias, name));
}

index::HttpResponse RealIndex::ask(index::Method method, const std::string& path, const std::string& body) {
    auto response = session_->call({.method = method,
                                    .path = path,
                                    .body = body,
                                    .timeout_ms = 60'000,
                                    .answer_bytes_max = std::size_t{64} << 20});
    INFO(path);
    if (!response) FAIL(to_line(response.error()));
    return std::move(*response);
}

nlohmann::json RealIndex::must(index::Method method, const std::string& path, const std::string& body) {
    const auto response = ask(method, path, body);
    INFO(path << ": " << response.body);
    REQUIRE(response.status == 200);
    return nlohmann::json::parse(response.body);
}

}  // namespace pawl::test
