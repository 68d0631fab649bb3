#include "fuzz/script.h"

#include <algorithm>
#include <charconv>
#include <utility>

#include "base/assert.h"
#include "fuzz/judge.h"

namespace pawl::fuzz {

Script::Script(std::string_view text) {
    constexpr std::string_view begin = "--- ";
    while (!text.empty()) {
        const auto end = std::min(text.find("\n--- ", 1), text.size());
        std::string_view one = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        int status = 200;
        if (one.starts_with(begin)) {
            const auto line = one.substr(begin.size(), one.find('\n') - begin.size());
            std::from_chars(line.data(), line.data() + line.size(), status);
            one.remove_prefix(std::min(one.find('\n'), one.size() - 1) + 1);
        }
        answers_.push_back({status, std::string(one), "GET http://h:9200/"});
    }
}

index::Call Script::call(std::size_t questions_max) {
    asked_.clear();
    return [this, questions_max](index::HttpRequest request) {
        return answer(std::move(request), questions_max);
    };
}

Result<index::HttpResponse> Script::answer(index::HttpRequest request, std::size_t questions_max) {
    PAWL_ASSERT(request.path.starts_with('/') && !has_control_characters(request.path));
    PAWL_ASSERT(request.path.find(' ') == std::string::npos && request.answer_bytes_max > 0);
    PAWL_ASSERT(request.body.empty() || json_in(request.body));
    PAWL_ASSERT(asked_.size() < questions_max);
    asked_.push_back(std::move(request));
    if (asked_.size() <= answers_.size()) return answers_[asked_.size() - 1];
    return index::HttpResponse{404, "{}", "GET http://h:9200/"};
}

void check_words(std::string_view text, std::size_t bytes_max) {
    PAWL_ASSERT(text.size() <= bytes_max && !has_control_characters(text) && is_utf8(text));
}

void check_error(const Error& error) {
    PAWL_ASSERT(!error.message.empty());
    check_words(error.message, message_bytes_max);
    check_words(error.advice, message_bytes_max);
}

}  // namespace pawl::fuzz
