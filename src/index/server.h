// Which server answers: product and version.
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "index/http.h"

namespace pawl::index {

// One request and its answer; HttpSession::call, or a script in a test.
using Call = std::function<Result<HttpResponse>(HttpRequest)>;

// GET and PUT of the questions about the target: limits and timeout for them are set, the body is JSON.
HttpRequest get_request(std::string path);
HttpRequest put_request(std::string path, std::string body);

// The answer if its status is 2xx, else its error.
Result<HttpResponse> call_ok(const Call& call, HttpRequest request);

// A flush or refresh, which answers 200 also when some of the shards have failed. That is kind unavailable:
// "…: not all shards were <done>".
Result<void> on_all_shards(const Call& call, HttpRequest request, std::string_view done);

struct Server {
    std::string product;  // "Elasticsearch" or "OpenSearch"
    std::string version;  // "8.19.7"
};
// "Elasticsearch 8.19.7"
std::string name_of(const Server& server);

// Asks GET /, and the nodes API where that is not there. Errors: invalid when it is neither product or a
// version that pawl does not work with (Elasticsearch before 7.17; every OpenSearch will do); else as the
// server says.
Result<Server> find_server(const Call& call);

}  // namespace pawl::index
