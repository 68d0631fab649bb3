// The daemon's log, on stderr: readable lines on a terminal, one JSON object a line otherwise. The fields of
// the JSON form are ts (ISO 8601), level, pipeline (absent when it concerns none), msg, advice (absent when
// empty). What is logged comes from Errors and Notices, which never hold a secret: config::Secret does not
// print.
#pragma once

#include <cstdio>
#include <memory>
#include <string_view>

#include "base/error.h"
#include "config/config.h"
#include "engine/effect.h"

namespace pawl::ops {

using engine::Severity;

// Any thread may write; a line is never torn. A stderr that is gone is no error: the lines are lost.
class Log {
  public:
    // Writes to stderr. `settings.format` auto asks whether stderr is a terminal.
    explicit Log(const config::Log& settings);
    // Writes to `file`, which must outlive the log. auto is text here.
    Log(const config::Log& settings, std::FILE* file);
    ~Log();
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;

    // `pipeline` may be empty. In text, control characters become spaces, so that no server's words can steer
    // the terminal; in JSON, bytes that are not UTF-8 become U+FFFD.
    void write(Severity severity, std::string_view pipeline, std::string_view text,
               std::string_view advice = {});
    void write(std::string_view pipeline, const Error& error) {
        write(Severity::error, pipeline, error.message, error.advice);
    }
    // Only with [log] level = "debug".
    void debug(std::string_view pipeline, std::string_view text);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pawl::ops
