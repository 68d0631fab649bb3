// Any bytes as the answer to a bulk request. The first byte says how many actions it answers and which; the
// rest is the answer. What must hold: an Error that nothing is known, or exactly one result for each action,
// each with words that may go to the journal; and an answer is never read as one when another parser finds no
// such items in it.
#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.h"
#include "fuzz/judge.h"
#include "index/answer.h"
#include "index/limits.h"

using namespace pawl;
using engine::Action;
using engine::ItemResult;
using engine::ItemStatus;
using engine::Row;

namespace {

std::vector<Row> actions_of(std::uint8_t choice) {
    std::vector<Row> actions;
    for (int i = 0; i < choice % 8; ++i) {
        const bool is_index = (choice >> 3 >> (i % 5) & 1) == 0;
        actions.push_back(
            {engine::Revision(i) + 1, is_index ? Action::index : Action::remove, "e", is_index ? "{}" : ""});
    }
    return actions;
}

void check_words(std::string_view text, std::size_t bytes_max) {
    PAWL_ASSERT(text.size() <= bytes_max);
    PAWL_ASSERT(!fuzz::has_control_characters(text));
    PAWL_ASSERT(fuzz::is_utf8(text));
}

void check_result(const ItemResult& result) {
    PAWL_ASSERT(result.status >= ItemStatus::done && result.status <= ItemStatus::target_missing);
    PAWL_ASSERT((result.status == ItemStatus::done) == result.error.empty());
    PAWL_ASSERT(result.status != ItemStatus::done || result.reason.empty());
    PAWL_ASSERT(result.status == ItemStatus::superseded || !result.stored_version);
    check_words(result.error, index::limits::error_type_bytes_max);
    check_words(result.reason, index::limits::error_reason_bytes_max);
}

// What the results say of the items, told by the other parser.
void check_against_judge(std::string_view body, const std::vector<Row>& actions,
                         const std::vector<ItemResult>& results) {
    const auto answer = fuzz::json_in(body);
    PAWL_ASSERT(answer && answer->is_object());
    if (fuzz::has_a_key_twice(body)) return;
    const auto& items = answer->at("items");
    PAWL_ASSERT(items.is_array() && items.size() == actions.size());
    for (std::size_t i = 0; i < actions.size(); ++i) {
        const auto& item = items[i].at(actions[i].action == Action::index ? "index" : "delete");
        const auto status = item.at("status").get<int>();
        const bool is_gone = status == 404 && actions[i].action == Action::remove;
        const bool is_taken = status >= 200 && status <= 299;
        if (results[i].status == ItemStatus::done) PAWL_ASSERT(is_taken || is_gone);
        if (is_taken) PAWL_ASSERT(results[i].status == ItemStatus::done);
        if (results[i].status == ItemStatus::superseded) PAWL_ASSERT(status == 409);
        if (results[i].status == ItemStatus::rejected) PAWL_ASSERT(status >= 400 && status <= 499);
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static index::BulkAnswerReader reader;
    if (size == 0) return 0;
    const auto actions = actions_of(data[0]);
    // A copy of exactly these bytes, so that reading beyond them is seen.
    const auto copy = std::make_unique<char[]>(size - 1);
    std::copy(data + 1, data + size, copy.get());
    const std::string_view body(copy.get(), size - 1);
    const auto results = reader.read(body, actions, "");
    if (results) {
        PAWL_ASSERT(results->size() == actions.size());
        for (const ItemResult& result : *results)
            check_result(result);
        check_against_judge(body, actions, *results);
    } else {
        PAWL_ASSERT(results.error().kind == ErrorKind::unavailable ||
                    results.error().kind == ErrorKind::too_large);
        check_words(results.error().message, 1024);
        PAWL_ASSERT(!results.error().message.empty() && !results.error().advice.empty());
    }
    return 0;
}
