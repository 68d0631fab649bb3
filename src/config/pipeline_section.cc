// [[pipeline]] with its tables index and limits
#include <map>

#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "config/limits.h"
#include "config/secret_file.h"
#include "config/sections.h"
#include "config/values.h"

namespace pawl::config {
namespace {

constexpr TextRule name_rule{is_pipeline_name, "1 to 64 of a-z, 0-9, _ and -"};
constexpr TextRule alias_rule{
    is_alias, "an alias: lower case, no spaces, none of \\ / * ? \" < > | , # :, not starting with - _ +"};

// Empty when the text is fit to create an index from; else what is wrong with it.
std::string wrong_in_create(const std::string& text) {
    nlohmann::json body;
    try {
        body = nlohmann::json::parse(text);
    } catch (const nlohmann::json::exception& exception) {
        return fmt::format("is not JSON: {}", exception.what());
    }
    if (!body.is_object()) return "is not a JSON object, expected {\"settings\": …, \"mappings\": …}";
    for (const auto& [key, value] : body.items()) {
        if (key == "aliases") return "has \"aliases\": pipeline.index.alias alone names the alias";
        if (key != "settings" && key != "mappings")
            return fmt::format("has the key \"{}\", expected \"settings\" and \"mappings\" only", key);
        if (!value.is_object()) return fmt::format("has \"{}\" that is not an object", key);
    }
    return {};
}

Pipeline read_pipeline(Section section) {
    Pipeline pipeline;
    section.required("name", pipeline.name, name_rule);
    read_source(section.section("source"), pipeline.source);
    read_document(section.section("document"), pipeline.document);
    read_index(section.section("index"), pipeline.index);
    read_limits(section.section("limits"), pipeline);
    section.finish();
    return pipeline;
}

// Remembers the line of each value and complains about the second.
class Unique {
  public:
    Unique(Problems& problems, std::string_view key) : problems_(problems), key_(key) {}
    void add(const std::string& value, int line) {
        if (value.empty()) return;
        const auto [first, is_new] = lines_.try_emplace(value, line);
        if (is_new) return;
        problems_.add({line, std::string(key_)},
                      fmt::format("found \"{}\", which line {} has already", value, first->second),
                      fmt::format("give every pipeline its own {}", key_.substr(key_.rfind('.') + 1)));
    }

  private:
    Problems& problems_;
    std::string_view key_;
    std::map<std::string, int> lines_;
};

}  // namespace

void read_index(Section section, Index& into) {
    section.required("alias", into.alias, alias_rule);
    section.path("create", into.create);
    section.finish();
    if (into.create.empty()) return;
    auto body = read_file(into.create, limits::create_bytes_max);
    if (!body) return section.problems().add(section.place("create"), body.error());
    const std::string wrong = wrong_in_create(*body);
    if (wrong.empty())
        into.create_body = std::move(*body);
    else
        section.problems().add(section.place("create"), fmt::format("{} {}", into.create.string(), wrong),
                               fmt::format("correct {}", into.create.string()));
}

void read_limits(Section section, Pipeline& into) {
    engine::Limits& to = into.limits;
    section.integer("batch_documents", to.batch_rows_max,
                    {limits::batch_documents_min, limits::batch_documents_max});
    section.size("batch_bytes", to.batch_bytes_max, {limits::batch_bytes_min, limits::batch_bytes_max});
    section.integer("batches_open", to.batches_open_max,
                    {limits::batches_open_min, limits::batches_open_max});
    section.integer("requests_in_flight", to.requests_in_flight_max,
                    {limits::requests_in_flight_min, limits::requests_in_flight_max});
    section.integer("quarantine", to.quarantine_max, {limits::quarantine_min, limits::quarantine_max});
    section.integer("gaps", to.gaps_max, {limits::gaps_min, limits::gaps_max});
    section.size("document_bytes", into.document_bytes_max,
                 {limits::document_bytes_min, limits::document_bytes_max});
    section.duration("poll_interval", to.poll_interval_ms,
                     {limits::poll_interval_min_ms, limits::poll_interval_max_ms});
    section.duration("checkpoint_interval", to.checkpoint_interval_ms,
                     {limits::checkpoint_interval_min_ms, limits::checkpoint_interval_max_ms});
    section.duration("gap_grace", to.gap_grace_ms, {limits::gap_grace_min_ms, limits::gap_grace_max_ms});
    const Range delays{limits::retry_delay_smallest_ms, limits::retry_delay_largest_ms};
    section.duration("retry_delay_min", to.retry_delay_min_ms, delays);
    section.duration("retry_delay_max", to.retry_delay_max_ms, delays);
    if (to.retry_delay_min_ms > to.retry_delay_max_ms)
        section.problems().found(
            section.place("retry_delay_min"), to_duration(to.retry_delay_min_ms),
            fmt::format("at most retry_delay_max ({})", to_duration(to.retry_delay_max_ms)));
    section.finish();
}

void read_pipelines(const Node* node, Problems& problems, std::vector<Pipeline>& into) {
    const std::string path = "pipeline";
    if (node == nullptr) return problems.missing({0, path}, "at least one [[pipeline]]");
    if (node->kind != NodeKind::array || node->items.empty() || node->items.size() > limits::pipelines_max)
        return problems.found(
            {node->line, path},
            node->kind == NodeKind::array ? fmt::format("{} pipelines", node->items.size()) : describe(*node),
            fmt::format("1 to {} tables, each under [[pipeline]]", limits::pipelines_max));
    Unique names(problems, "pipeline.name");
    Unique aliases(problems, "pipeline.index.alias");
    Unique outboxes(problems, "pipeline.source.outbox");
    for (const Node& item : node->items) {
        Section section(&item, path, item.line, problems);
        into.push_back(read_pipeline(section));
        names.add(into.back().name, section.place("name").line);
        if (const auto& outbox = into.back().source.outbox)
            outboxes.add(outbox->table, section.section("source").place("outbox").line);
        if (into.back().index.alias.empty()) continue;
        aliases.add(into.back().index.alias, section.section("index").place("alias").line);
    }
}

}  // namespace pawl::config
