// What `pawl status` shows.
#pragma once

#include <map>
#include <string>

#include "config/config.h"
#include "journal/reader.h"
#include "ops/verify_record.h"

namespace pawl::cli {

using VerifyRecords = std::map<std::string, ops::VerifyRecord>;  // by pipeline

// `config` is for the limits; null: they are not shown. Pipelines of the config that the journal does not
// know yet are shown as new.
std::string status_text(const journal::Contents& contents, const config::Config* config,
                        const VerifyRecords& verified = {});
// docs/cli-json.md, "status"
std::string status_json(const journal::Contents& contents, const config::Config* config,
                        const VerifyRecords& verified = {});

}  // namespace pawl::cli
