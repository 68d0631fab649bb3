// The options of one command. Hides the parser, which is slow to compile.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "cli/command.h"

namespace pawl::cli {

inline constexpr const char* default_config_file = "/etc/pawl/pawl.toml";

class Arguments {
  public:
    explicit Arguments(const Command& command);
    ~Arguments();
    Arguments(const Arguments&) = delete;
    Arguments& operator=(const Arguments&) = delete;

    // What `into` holds is the default; all of them must outlive parse. `name` is "--name".
    void flag(const std::string& name, bool& into, const std::string& help);
    void option(const std::string& name, const std::string& value_name, std::string& into,
                const std::string& help);
    void port(const std::string& name, std::uint16_t& into, const std::string& help);
    void word(const std::string& name, std::string& into, const std::vector<std::string>& choices,
              const std::string& help);
    void words(const std::string& name, std::vector<std::string>& into, const std::string& help);
    // --config FILE
    void config_file(std::string& into);

    // Empty: go on. Else the exit code: help was printed (0), or the usage was wrong (2).
    std::optional<int> parse(const Words& words, Io& io);

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace pawl::cli
