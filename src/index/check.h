// Everything about the index that can be wrong before a pipeline starts. Changes nothing.
#pragma once

#include <string>
#include <vector>

#include "config/config.h"
#include "engine/effect.h"
#include "index/http.h"
#include "index/server.h"

namespace pawl::index {

// What is found of the servers (each URL) and of the alias, good and bad, in the order in which it was asked;
// an error-severity notice for what would keep the pipeline from working. Blocks until all is asked or timed
// out.
std::vector<engine::Notice> check(HttpClient& client, const config::Elasticsearch& settings,
                                  const config::Pipeline& pipeline);

// Who is asked.
struct Servers {
    std::vector<std::string> urls;
    std::vector<Call> each;  // one for each URL
    Call any;                // whichever of them answers
};

// The same by calls.
std::vector<engine::Notice> check(const Servers& servers, const config::Elasticsearch& settings,
                                  const config::Pipeline& pipeline);

}  // namespace pawl::index
