#include "index/check_privileges.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

namespace pawl::index {
namespace {

using engine::Notice;
using engine::Severity;
using nlohmann::json;

constexpr const char* create_index = "create_index";
constexpr const char* read = "read";
constexpr const char* always[] = {"view_index_metadata", "manage", "index", "delete", read};

std::string made_indices(const PrivilegeQuestion& question) {
    return question.alias + "-*";
}

// The names that pawl asks and writes by now, or as soon as it has made its index.
std::vector<std::string> names_now(const PrivilegeQuestion& question) {
    if (!question.live_index.empty()) return {question.alias, question.live_index};
    if (question.may_create) return {question.alias, made_indices(question)};
    return {question.alias};
}

json to_json(const PrivilegeQuestion& question) {
    json on_index = json::array({{{"names", names_now(question)}, {"privileges", always}}});
    if (question.may_create) {
        json made = {{"names", json::array({made_indices(question)})}, {"privileges", always}};
        made["privileges"].push_back(create_index);
        on_index.push_back(std::move(made));
    }
    return {{"cluster", {"monitor"}}, {"index", std::move(on_index)}};
}

// {"index":{"lex":{"read":false}}}: only a clear no counts.
bool is_denied(const json& answer, std::initializer_list<const char*> path) {
    const json* at = &answer;
    for (const char* const key : path) {
        if (!at->is_object() || !at->contains(key)) return false;
        at = &(*at)[key];
    }
    return *at == false;
}

Notice missing(Severity severity, const std::string& what, const std::string& purpose = {}) {
    return {severity, fmt::format("pawl's user has not the {}{}", what, purpose),
            "give it to a role of elasticsearch.user, or to the API key"};
}

// What is denied now; else what will be when the next index is made.
void judge(const json& answer, const PrivilegeQuestion& question, const char* privilege,
           std::vector<Notice>& found) {
    std::vector<std::string> denied;
    for (const std::string& name : names_now(question))
        if (is_denied(answer, {"index", name.c_str(), privilege})) denied.push_back(name);
    const bool is_for_some = privilege == std::string_view(read);
    if (!denied.empty()) {
        found.push_back(missing(is_for_some ? Severity::warning : Severity::error,
                                fmt::format("privilege {} on {}", privilege, fmt::join(denied, ", ")),
                                is_for_some ? ", which pawl verify and pawl rebuild need" : ""));
        return;
    }
    const auto made = made_indices(question);
    if (is_denied(answer, {"index", made.c_str(), privilege}))
        found.push_back(missing(Severity::warning, fmt::format("privilege {} on {}", privilege, made),
                                ", which pawl rebuild needs, and pawl run when the index was deleted"));
}

}  // namespace

std::vector<Notice> missing_privileges(const Call& call, const PrivilegeQuestion& question) {
    auto request = put_request("/_security/user/_has_privileges",
                               to_json(question).dump(-1, ' ', false, json::error_handler_t::replace));
    request.method = Method::post;
    const auto response = call_ok(call, std::move(request));
    if (!response) return {};
    const auto answer = json::parse(response->body, nullptr, false);
    std::vector<Notice> found;
    if (is_denied(answer, {"cluster", "monitor"}))
        found.push_back(missing(Severity::error, "cluster privilege monitor"));
    for (const char* const privilege : always)
        judge(answer, question, privilege, found);
    judge(answer, question, create_index, found);
    return found;
}

}  // namespace pawl::index
