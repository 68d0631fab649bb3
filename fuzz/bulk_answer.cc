// Any bytes as the answer to a bulk request: an Error, or exactly one result for each action.
#include <array>
#include <cstdint>
#include <string_view>

#include "base/assert.h"
#include "index/answer.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using pawl::engine::Action;
    using pawl::engine::Row;
    static pawl::index::BulkAnswerReader reader;
    static const std::array<Row, 2> actions{Row{1, Action::index, "a", "{}"},
                                            Row{2, Action::remove, "b", ""}};
    const auto results = reader.read(std::string_view(reinterpret_cast<const char*>(data), size), actions);
    if (results) PAWL_ASSERT(results->size() == actions.size());
    return 0;
}
