// The bytes of a bulk request. Pure.
#pragma once

#include <span>
#include <string>

#include "engine/request.h"

namespace pawl::index {

// Puts the actions as NDJSON into `out`; its former content goes, its capacity is used again. One line for
// each action, and for an index action a second one with the document as it is:
//   {"index":{"_id":"…","version":17,"version_type":"external_gte"}}
//   {"delete":{"_id":"…","version":17,"version_type":"external_gte"}}
// The actions are as engine::Row promises (valid UTF-8; a document has no line break: asserted), never
// invalid.
void encode_bulk(std::span<const engine::Row> actions, std::string& out);

}  // namespace pawl::index
