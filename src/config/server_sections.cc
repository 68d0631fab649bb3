// [journal], [mariadb], [elasticsearch], [lease], [http], [verify], [log]
#include <fmt/core.h>

#include "config/limits.h"
#include "config/sections.h"
#include "config/values.h"

namespace pawl::config {
namespace {

constexpr TextRule listen_rule{is_listen_address, "\"host:port\", such as \"127.0.0.1:9187\""};
constexpr std::string_view url_expected = "\"http://host:port\" or \"https://host:port\"";

void read_urls(Section& section, std::vector<std::string>& into) {
    const Place place = section.place("urls");
    Problems& problems = section.problems();
    const Node* const node = section.node("urls");
    if (node == nullptr) return section.missing("urls", "a list such as [\"http://127.0.0.1:9200\"]");
    if (node->kind != NodeKind::array || node->items.empty() || node->items.size() > limits::urls_max)
        return problems.found(
            place,
            node->kind == NodeKind::array ? fmt::format("{} urls", node->items.size()) : describe(*node),
            fmt::format("a list of 1 to {} urls, such as [\"http://127.0.0.1:9200\"]", limits::urls_max));
    for (const Node& item : node->items) {
        const Place item_place{item.line, place.key};
        auto url = text_of(item, item_place, url_expected, problems);
        if (!url) continue;
        // Said without showing it: it may hold a password.
        if (url->find('@') != std::string::npos) {
            problems.found(item_place, "a url with a user or password in it", url_expected,
                           "use elasticsearch.user and elasticsearch.password_file");
            continue;
        }
        while (url->ends_with('/'))
            url->pop_back();
        if (is_server_url(*url))
            into.push_back(std::move(*url));
        else
            problems.found(item_place, fmt::format("\"{}\"", *url), url_expected);
    }
}

bool any_https(const std::vector<std::string>& urls) {
    for (const std::string& url : urls)
        if (url.starts_with("https://")) return true;
    return false;
}

}  // namespace

void read_journal(Section section, Journal& into) {
    section.path("path", into.path);
    section.size("size_max", into.size_max, {limits::journal_bytes_min, limits::journal_bytes_max});
    section.choice("on_damage", into.on_damage, {"stop", "discard"});
    section.finish();
}

void read_mariadb(Section section, MariaDb& into) {
    Problems& problems = section.problems();
    const bool has_host = section.text("host", into.host);
    section.integer("port", into.port, {limits::port_min, limits::port_max});
    if (section.text("socket", into.socket) && has_host)
        problems.add(section.place("socket"), "there is a host too, expected one of them", "remove one");
    section.required("database", into.database, {not_empty.holds, "the name of the database"});
    section.required("user", into.user, {not_empty.holds, "the MariaDB user that pawl logs in as"});
    section.secret("password", into.password);
    section.readable_file("ca_file", into.ca_file);
    section.readable_file("cert_file", into.cert_file);
    section.readable_file("key_file", into.key_file);
    const bool has_cert = section.node("cert_file") != nullptr;
    const bool has_key = section.node("key_file") != nullptr;
    if (has_cert != has_key)
        section.missing(has_cert ? "key_file" : "cert_file", "a path: cert_file and key_file go together");
    section.flag("tls", into.tls);
    section.duration("connect_timeout", into.connect_timeout_ms,
                     {limits::connect_timeout_min_ms, limits::connect_timeout_max_ms});
    section.duration("read_timeout", into.read_timeout_ms,
                     {limits::read_timeout_min_ms, limits::read_timeout_max_ms});
    section.finish();
}

void read_elasticsearch(Section section, Elasticsearch& into) {
    Problems& problems = section.problems();
    read_urls(section, into.urls);
    const bool has_user = section.text("user", into.user);
    section.secret("password", into.password);
    section.secret("api_key", into.api_key);
    const bool has_password = section.node("password") != nullptr || section.node("password_file") != nullptr;
    const bool has_api_key = section.node("api_key") != nullptr || section.node("api_key_file") != nullptr;
    if (has_user != has_password)
        section.missing(has_user ? "password_file" : "user", "user and password_file together");
    if (has_user && has_api_key)
        problems.add(section.place("user"), "there is an API key too, expected one of them", "remove one");
    section.readable_file("ca_file", into.ca_file);
    if (!into.ca_file.empty() && !into.urls.empty() && !any_https(into.urls))
        problems.warn(section.place("ca_file"), "has no effect: no url begins with https://");
    section.flag("gzip", into.gzip);
    section.duration("connect_timeout", into.connect_timeout_ms,
                     {limits::connect_timeout_min_ms, limits::connect_timeout_max_ms});
    section.duration("request_timeout", into.request_timeout_ms,
                     {limits::request_timeout_min_ms, limits::request_timeout_max_ms});
    section.finish();
}

void read_lease(Section section, Lease& into) {
    section.integer("pipelines_max", into.pipelines_max,
                    {limits::lease_pipelines_min, limits::lease_pipelines_max});
    section.finish();
}

void read_http(Section section, Http& into) {
    section.text("listen", into.listen, listen_rule);
    if (!into.listen.empty())
        section.problems().warn(section.place("listen"), "has no effect: this version serves no HTTP");
    section.finish();
}

void read_verify(Section section, Verify& into) {
    section.duration("interval", into.interval_ms,
                     {limits::verify_interval_min_ms, limits::verify_interval_max_ms});
    section.finish();
}

void read_log(Section section, Log& into) {
    section.choice("format", into.format, {"auto", "text", "json"});
    section.choice("level", into.level, {"debug", "info", "warning", "error"});
    section.finish();
}

}  // namespace pawl::config
