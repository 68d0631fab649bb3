#include "cli/arguments.h"

#include <algorithm>
#include <ostream>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

namespace pawl::cli {

struct Arguments::Impl {
    explicit Impl(const Command& of)
        : command(of.name), app(std::string(of.summary), fmt::format("pawl {}", of.name)) {
        app.get_formatter()->column_width(32);
        app.footer(fmt::format("\nExample:\n  {}", of.example));
        app.option_defaults()->multi_option_policy(CLI::MultiOptionPolicy::Throw);
    }

    std::string command;
    CLI::App app;
};

Arguments::Arguments(const Command& command) : impl_(std::make_unique<Impl>(command)) {}
Arguments::~Arguments() = default;

void Arguments::flag(const std::string& name, bool& into, const std::string& help) {
    impl_->app.add_flag(name, into, help);
}

void Arguments::option(const std::string& name, const std::string& value_name, std::string& into,
                       const std::string& help) {
    impl_->app.add_option(name, into, help)->option_text(value_name);
}

void Arguments::port(const std::string& name, std::uint16_t& into, const std::string& help) {
    impl_->app.add_option(name, into, help)->option_text("PORT");
}

void Arguments::word(const std::string& name, std::string& into, const std::vector<std::string>& choices,
                     const std::string& help) {
    impl_->app.add_option(name, into, help)
        ->required()
        ->check(CLI::IsMember(choices))
        ->option_text(fmt::format("{}", fmt::join(choices, "|")));
}

void Arguments::words(const std::string& name, std::vector<std::string>& into, const std::string& help) {
    impl_->app.add_option(name, into, help)->option_text(" ");
    impl_->app.get_option(name)->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
}

void Arguments::config_file(std::string& into) {
    into = default_config_file;
    option("--config", "FILE", into, fmt::format("the config (default {})", default_config_file));
}

std::optional<int> Arguments::parse(const Words& words, Io& io) {
    try {
        // The parser takes its words from the back.
        std::vector<std::string> reversed(words.rbegin(), words.rend());
        impl_->app.parse(reversed);
        return std::nullopt;
    } catch (const CLI::CallForHelp&) {
        io.out << impl_->app.help();
        return exit_code::done;
    } catch (const CLI::ParseError& error) {
        return report_usage(io, error.what(), impl_->command);
    }
}

}  // namespace pawl::cli
