// What the index says: bulk answers and errors of whole requests. Pure; any bytes are taken.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "engine/request.h"

namespace pawl::index {

// What a bulk answer must hold for BulkAnswerReader; everything else is left out by the server. Without
// errors the answer is then 25 bytes an item.
inline constexpr std::string_view bulk_filter_path =
    "errors,items.*._index,items.*.status,items.*.error.type,items.*.error.reason,"
    "items.*.error.caused_by.reason";

// Reads answers to bulk requests. Keeps its memory from one answer to the next; one thread at a time.
class BulkAnswerReader {
  public:
    BulkAnswerReader();
    ~BulkAnswerReader();
    BulkAnswerReader(const BulkAnswerReader&) = delete;
    BulkAnswerReader& operator=(const BulkAnswerReader&) = delete;

    // One result for each action, in order. `body` is the answer with status 2xx. What another index than
    // `index` has taken, or answered, is target_missing: the alias has moved since. Error, kind unavailable:
    // it is no answer to these actions (not JSON, cut short, another number of items or other actions), so
    // that nothing is known of any of them.
    Result<std::vector<engine::ItemResult>> read(std::string_view body, std::span<const engine::Row> actions,
                                                 std::string_view index);

  private:
    struct Parser;
    std::unique_ptr<Parser> parser_;
};

// How one item is judged. `type` and `reason` are the error's, empty when the item has none.
engine::ItemStatus judge_item(int status, std::string_view type, std::string_view reason,
                              engine::Action action);

// "… current version [17] is higher …" → 17.
std::optional<engine::Revision> stored_version_in(std::string_view reason);

// A 429 that waiting does not cure: the operation by itself is above the server's limit for all operations
// together, 10 % of its heap. "… primary_operation_bytes=80000032, max_primary_bytes=53687091]".
// Elasticsearch 9 counts a document four times, so that with 512 MB of heap one of 15 MB is never taken.
// Elasticsearch 8 and OpenSearch write the same with other names between "_operation_bytes=", "max_" and
// "_bytes=".
bool is_larger_than_limit(std::string_view reason);

// The error of a whole request with a status other than 2xx. `where` begins the message ("POST
// http://h:9200/lex/_bulk"). Kinds: 400 rejected, 401 and 403 forbidden, 404 target_missing, 413 too_large,
// 429 overloaded; everything else unavailable, since nothing better than another try is known; so too what a
// cluster block causes, whatever its status.
Error error_of_status(std::string_view where, int status, std::string_view body);

// {"error":{"type":…,"reason":…}} or {"error":"…"}: both bounded, without control characters; empty where not
// there.
struct ServerWords {
    std::string type;
    std::string reason;
};
ServerWords words_in(std::string_view body);

// At most `bytes_max` bytes, cut between characters; control characters become spaces.
std::string bounded(std::string_view text, std::size_t bytes_max);

}  // namespace pawl::index
