// A Call that answers from a table of paths and remembers what was asked.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "index/server.h"

namespace pawl::test {

struct ScriptedCall {
    // By "GET /path"; several answers of one path come in turn, the last one stays.
    std::map<std::string, std::vector<index::HttpResponse>> answers;
    std::vector<std::string> asked = {};
    std::string last_body = {};

    Result<index::HttpResponse> operator()(index::HttpRequest request) {
        constexpr const char* names[] = {"GET ", "PUT ", "POST ", "DELETE "};
        const auto key = names[static_cast<std::size_t>(request.method)] + request.path;
        asked.push_back(key);
        if (!request.body.empty()) last_body = request.body;
        auto found = answers.find(key);
        if (found == answers.end()) return index::HttpResponse{404, R"({"error":"not in the script"})", key};
        auto response = found->second.front();
        if (found->second.size() > 1) found->second.erase(found->second.begin());
        response.where = key;
        return response;
    }

    index::Call call() {
        return [this](index::HttpRequest request) { return (*this)(std::move(request)); };
    }
};

}  // namespace pawl::test
