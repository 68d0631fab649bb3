// What the index itself remembers of its pipeline, as `_meta.pawl` in its mapping:
//
//   {"format":2, "pipeline":"lex", "source":{"mode":"revision","database":"karp","table":"lex"},
//    "revision":4711, "owed":[17,23], "anchor":{"revision":4712,"digest":"00c0ffee00c0ffee"},
//    "shape":"0123456789abcdef", "written_at":"2026-11-24T02:15:04.123Z"}
//
// `owed` and `anchor` are left out when there are none; so are `"entities":"lex by {id}"`, `"filling":true`
// and `"replaces":"<UUID>"`, which outbox mode knows. Format 1 had other digests: its shape is taken for 0,
// unknown. An older pawl takes no notice of keys that it does not know. PUT _mapping replaces the whole
// `_meta`, so that the other keys in it are read and written again. It travels with snapshots of the index
// (seen on Elasticsearch 8.19.7 and OpenSearch 2.19.3).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/request.h"
#include "index/server.h"

namespace pawl::index {

// `meta` is a mapping's `_meta` as JSON text; empty: it has none. Nothing when no pawl has written into it.
// Errors, kind invalid, each with what to do: another format than 1 and 2 (a newer pawl's), or something
// under that key that no pawl writes. `index` names the index in messages.
Result<std::optional<engine::Remembered>> remembered_in(std::string_view meta, const std::string& index);

// The same `_meta` with this in it; the other keys are kept in their order. `meta` must have been accepted by
// remembered_in, or have no key "pawl".
std::string meta_with(std::string_view meta, const engine::Remembered& remembered);

// What IndexPort::remember() does. Kind target_missing: the alias does not lead to the index with that UUID.
// Where acknowledged writes may still be lost (index.translog.durability async), the index is flushed before.
// Whoever else writes `_meta` at the same moment may undo this, or be undone: the API knows no condition.
// What has come to an index of the same name that was restored meanwhile is taken back: it remembers nothing
// then.
Result<void> write_checkpoint(const Call& call, const std::string& alias, const std::string& index_uuid,
                              const engine::Remembered& remembered);

}  // namespace pawl::index
