// The JSON of docs/cli-json.md, as far as several commands share it. Included by .cc files only: slow to
// compile.
#pragma once

#include <string>

#include <nlohmann/json.hpp>

#include "base/time.h"
#include "journal/interval_set.h"
#include "journal/record.h"

namespace pawl::cli {

using Json = nlohmann::ordered_json;

// One line with its line break. Bytes that are not UTF-8 (ids that were cut) become U+FFFD.
inline std::string to_line(const Json& json) {
    return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

// ISO 8601; null for 0, which says "not yet".
inline Json time_json(TimeMs time) {
    return time == 0 ? Json() : Json(to_iso8601(time));
}

inline Json intervals_json(const journal::IntervalSet& revisions) {
    Json list = Json::array();
    for (const auto& interval : revisions.intervals())
        list.push_back({interval.first, interval.last});
    return list;
}

inline Json fill_json(const journal::Pipeline& pipeline) {
    return pipeline.fill ? Json{{"rows", pipeline.fill->rows}} : Json();
}

inline Json incidents_json(const journal::Pipeline& pipeline) {
    Json incidents = Json::array();
    for (const journal::Incident& incident : pipeline.incidents)
        incidents.push_back({{"number", incident.number},
                             {"at", time_json(incident.at)},
                             {"label", incident.label},
                             {"text", incident.text}});
    return incidents;
}

}  // namespace pawl::cli
