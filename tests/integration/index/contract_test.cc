#include "tests/contract/index_contract.h"

#include "tests/integration/index/real_index.h"
#include "tests/integration/servers.h"

using namespace pawl;

namespace {

config::Elasticsearch settings() {
    config::Elasticsearch made;
    made.urls = {test::index_server().url};
    return made;
}

}  // namespace

TEST_CASE("the real index keeps the contract") {
    test::RealIndex world(settings());
    test::run_index_contract(world);
}

TEST_CASE("the real index keeps the contract with compressed requests") {
    auto compressed = settings();
    compressed.gzip = true;
    test::RealIndex world(compressed);
    test::run_index_contract(world);
}

TEST_CASE("the real index keeps the contract when the first URL is dead") {
    auto several = settings();
    several.urls.insert(several.urls.begin(), "http://127.0.0.1:1");
    test::RealIndex world(several);
    test::run_index_contract(world);
}
