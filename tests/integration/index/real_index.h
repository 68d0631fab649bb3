// A real server as the world of a contract test, and as something that a test can ask and change by hand.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "index/elasticsearch_index.h"
#include "index/http.h"
#include "tests/contract/index_contract.h"
#include "tests/unit/index/inbox.h"

namespace pawl::test {

class RealIndex final : public IndexWorld {
  public:
    // `create_body` is what the port makes an index from; see index_body.
    explicit RealIndex(config::Elasticsearch settings);
    ~RealIndex() override;

    void begin() override;
    engine::IndexPort& port() override { return *port_; }
    engine::Event next_event() override { return inbox_.next(); }
    std::optional<std::string> document(const std::string& entity) override;
    std::optional<std::uint64_t> version(const std::string& entity) override;
    void delete_index() override;
    void move_alias() override;

    // A request by hand; the test fails when there is no answer.
    index::HttpResponse ask(index::Method method, const std::string& path, const std::string& body = {});
    // The same; the test fails unless it is answered with 200.
    nlohmann::json must(index::Method method, const std::string& path, const std::string& body = {});
    // A new port with an alias of its own, behind which there is nothing yet.
    void begin_without_index(bool may_create);
    const std::string& alias() const { return index_.alias; }
    index::HttpClient& client() { return *client_; }
    const config::Elasticsearch& settings() const { return settings_; }
    const config::Index& index() const { return index_; }

  private:
    std::optional<nlohmann::json> found(const std::string& entity);

    config::Elasticsearch settings_;
    config::Index index_;
    WaitingInbox inbox_;
    std::unique_ptr<index::HttpClient> client_;
    std::unique_ptr<index::HttpSession> session_;
    std::unique_ptr<index::ElasticsearchIndex> port_;
};

// Settings and strict mappings as the contract wants them.
extern const char* const index_body;

}  // namespace pawl::test
