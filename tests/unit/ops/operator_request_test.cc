#include "ops/operator_request.h"

#include <unistd.h>

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
    std::string path = "/tmp/pawl-requests-XXXXXX";
};

OperatorRequest retry(std::vector<std::string> entities) {
    return {OperatorRequest::Ask::retry_quarantine, "lex", std::move(entities)};
}

std::size_t files_in(const std::string& journal) {
    return static_cast<std::size_t>(
        std::distance(fs::directory_iterator(journal + "/requests"), fs::directory_iterator()));
}

}  // namespace

TEST_CASE("what an operator asks is there until it is removed: a crash in between loses nothing") {
    const Folder folder;
    REQUIRE(leave(folder.path, retry({"katt..nn.1", "ä"})));
    std::vector<Error> problems;
    for (int look = 0; look < 2; ++look) {
        const auto requests = waiting_requests(folder.path, problems);
        REQUIRE(requests.size() == 1);
        CHECK(requests[0].ask == OperatorRequest::Ask::retry_quarantine);
        CHECK(requests[0].pipeline == "lex");
        CHECK(requests[0].entities == std::vector<std::string>{"katt..nn.1", "ä"});
        if (look == 1) remove_requests({requests[0].file});
    }
    CHECK(waiting_requests(folder.path, problems).empty());
    CHECK(files_in(folder.path) == 0);
    CHECK(problems.empty());
}

TEST_CASE("a request that is not understood is set aside and told, and the others go on") {
    const Folder folder;
    REQUIRE(leave(folder.path, retry({})));
    std::ofstream(folder.path + "/requests/0-0.json")
        << R"({"ask": "sing", "pipeline": "lex", "entities": []})";
    std::vector<Error> problems;
    CHECK(waiting_requests(folder.path, problems).size() == 1);
    REQUIRE(problems.size() == 1);
    CHECK_THAT(problems[0].message, Catch::Contains("0-0.json") && Catch::Contains("unknown"));
    CHECK(fs::exists(folder.path + "/requests/0-0.json.bad"));
}

TEST_CASE("where nobody has asked anything, nothing waits") {
    const Folder folder;
    std::vector<Error> problems;
    CHECK(waiting_requests(folder.path, problems).empty());
    CHECK(problems.empty());
}

TEST_CASE("a repair names revisions, and only sound ones are taken") {
    const Folder folder;
    REQUIRE(leave(folder.path, {.ask = OperatorRequest::Ask::repair,
                                .pipeline = "lex",
                                .revisions = journal::IntervalSet({{3, 5}, {9, 9}})}));
    const std::vector<std::string> wrong{
        "",
        R"(,"revisions":[])",
        R"(,"revisions":[[5,3]])",
        R"(,"revisions":[[0,3]])",
        R"(,"revisions":[[1]])",
        R"(,"revisions":[["1","2"]])",
        R"(,"revisions":[[-1,2]])",
        R"(,"revisions":[[1,10001]])",
        R"(,"revisions":[[1,9223372036854775808]])",
    };
    for (std::size_t at = 0; at < wrong.size(); ++at)
        std::ofstream(folder.path + "/requests/0-" + std::to_string(at) + ".json")
            << R"({"ask":"repair","pipeline":"lex","entities":[])" + wrong[at] + "}";
    std::vector<Error> problems;
    const auto requests = waiting_requests(folder.path, problems);
    CHECK(problems.size() == wrong.size());
    REQUIRE(requests.size() == 1);
    CHECK(requests[0].ask == OperatorRequest::Ask::repair);
    CHECK(requests[0].revisions == journal::IntervalSet({{3, 5}, {9, 9}}));
}
