// What a rebuild's steps know of the search server: how to ask it, and what its answers mean for the plan.
#pragma once

#include <memory>

#include "base/error.h"
#include "config/config.h"
#include "index/http.h"
#include "index/rebuild_index.h"
#include "ops/rebuild_plan.h"

namespace pawl::ops {

// Asks the search server outside of a running daemon.
class Asking {
  public:
    static Result<Asking> make(const config::Config& config) {
        auto client = index::HttpClient::make(config.elasticsearch);
        if (!client) return std::unexpected(client.error());
        return Asking(std::move(*client));
    }
    index::Call call() {
        return [this](index::HttpRequest request) { return session_->call(std::move(request)); };
    }

  private:
    explicit Asking(std::unique_ptr<index::HttpClient> client)
        : client_(std::move(client)), session_(std::make_unique<index::HttpSession>(*client_)) {}
    std::unique_ptr<index::HttpClient> client_;
    std::unique_ptr<index::HttpSession> session_;
};

RebuildIndexFact fact_of(const index::RebuildIndices& indices);

// A rebuild needs something to stand beside, and the text of an index. Error, kind invalid.
Result<void> check_possible(const config::Pipeline& pipeline, const index::RebuildIndices& indices);

// Deletes the index behind the rebuild's alias, unless it has become the live one meanwhile.
Result<void> delete_half_filled(const index::Call& call, const std::string& alias,
                                const index::RebuildIndices& indices);

// The error of RebuildStep::refuse.
std::unexpected<Error> refuse(const config::Pipeline& pipeline, const index::RebuildIndices& indices);

}  // namespace pawl::ops
