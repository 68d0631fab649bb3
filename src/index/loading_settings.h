// Settings with which an index is filled fastest, and how it gets its own back. Pure.
#pragma once

#include <string>

#include "base/error.h"
#include "config/config.h"

namespace pawl::index {

// `create_body` with no refresh, no replicas, an asynchronous translog and frequent flushes: what an index
// that nobody reads yet needs. All other settings stay, written flat ("index.codec"), which is how the
// servers keep them. Kind invalid when it is no JSON object or "settings" is none; `create` names the file in
// messages.
Result<std::string> loading_body(const config::Index& index);

// The body of PUT _settings that gives such an index what `create_body` says of those settings; what it does
// not name becomes the server's default.
Result<std::string> own_settings(const config::Index& index);

}  // namespace pawl::index
