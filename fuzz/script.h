// A server whose answers are a script: every line "--- 200" begins an answer of that status; they are given
// in turn, and 404 when none is left.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "index/http.h"
#include "index/server.h"

namespace pawl::fuzz {

inline constexpr std::size_t message_bytes_max = 4096;

class Script {
  public:
    explicit Script(std::string_view text);

    const std::vector<index::HttpResponse>& answers() const { return answers_; }
    // From the first answer on. Asserts that what is asked is well-formed, and at most `questions_max` of it.
    index::Call call(std::size_t questions_max = 20);
    // What was asked since then.
    const std::vector<index::HttpRequest>& asked() const { return asked_; }

  private:
    Result<index::HttpResponse> answer(index::HttpRequest request, std::size_t questions_max);

    std::vector<index::HttpResponse> answers_;
    std::vector<index::HttpRequest> asked_;
};

// Asserts that they may go to a log.
void check_words(std::string_view text, std::size_t bytes_max);
void check_error(const Error& error);

}  // namespace pawl::fuzz
