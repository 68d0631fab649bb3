#include "ops/log.h"

#include <unistd.h>

#include <chrono>
#include <string>

#include <spdlog/logger.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <nlohmann/json.hpp>

#include "base/time.h"

namespace pawl::ops {
namespace {

using Sink = spdlog::sinks::stdout_sink_base<spdlog::details::console_mutex>;

TimeMs now_ms() {
    using namespace std::chrono;
    return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

bool is_json(const config::Log& settings, std::FILE* file) {
    if (settings.format == "json") return true;
    if (settings.format == "text") return false;
    return file == stderr && ::isatty(STDERR_FILENO) == 0;
}

spdlog::level::level_enum level_of(std::string_view name) {
    if (name == "debug") return spdlog::level::debug;
    if (name == "warning") return spdlog::level::warn;
    if (name == "error") return spdlog::level::err;
    return spdlog::level::info;
}

spdlog::level::level_enum level_of(Severity severity) {
    if (severity == Severity::error) return spdlog::level::err;
    return severity == Severity::warning ? spdlog::level::warn : spdlog::level::info;
}

std::string_view word_of(spdlog::level::level_enum level) {
    if (level == spdlog::level::err) return "error";
    if (level == spdlog::level::warn) return "warning";
    return level == spdlog::level::debug ? "debug" : "info";
}

struct Entry {
    std::string_view level;
    std::string_view pipeline;
    std::string_view text;
    std::string_view advice;
};

std::string to_json_line(const Entry& entry) {
    nlohmann::ordered_json line;
    line["ts"] = to_iso8601(now_ms());
    line["level"] = entry.level;
    if (!entry.pipeline.empty()) line["pipeline"] = entry.pipeline;
    line["msg"] = entry.text;
    if (!entry.advice.empty()) line["advice"] = entry.advice;
    return line.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string to_text_line(const Entry& entry) {
    std::string line = to_iso8601(now_ms());
    line.append(" ").append(entry.level).append(" ");
    if (!entry.pipeline.empty()) line.append(entry.pipeline).append(": ");
    line.append(entry.text);
    if (!entry.advice.empty()) line.append("; ").append(entry.advice);
    for (char& byte : line)
        if (static_cast<unsigned char>(byte) < 0x20 || byte == 0x7f) byte = ' ';
    return line;
}

}  // namespace

struct Log::Impl {
    Impl(const config::Log& settings, std::FILE* file)
        : json(is_json(settings, file)), logger("pawl", std::make_shared<Sink>(file)) {
        logger.set_pattern("%v");
        logger.set_level(level_of(settings.level));
        // What cannot be logged cannot be reported either; spdlog's own handler would write to stderr again.
        logger.set_error_handler([](const std::string&) {});
    }

    void write(spdlog::level::level_enum level, std::string_view pipeline, std::string_view text,
               std::string_view advice) {
        if (!logger.should_log(level)) return;
        const Entry entry{word_of(level), pipeline, text, advice};
        const std::string line = json ? to_json_line(entry) : to_text_line(entry);
        logger.log(level, spdlog::string_view_t(line.data(), line.size()));
    }

    bool json;
    spdlog::logger logger;
};

Log::Log(const config::Log& settings) : Log(settings, stderr) {}
Log::Log(const config::Log& settings, std::FILE* file) : impl_(std::make_unique<Impl>(settings, file)) {}
Log::~Log() = default;

void Log::write(Severity severity, std::string_view pipeline, std::string_view text,
                std::string_view advice) {
    impl_->write(level_of(severity), pipeline, text, advice);
}

void Log::debug(std::string_view pipeline, std::string_view text) {
    impl_->write(spdlog::level::debug, pipeline, text, {});
}

}  // namespace pawl::ops
