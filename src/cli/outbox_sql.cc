#include <algorithm>
#include <ostream>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "cli/arguments.h"
#include "cli/text.h"
#include "config/config.h"
#include "source/connection.h"
#include "source/outbox_setup.h"
#include "source/outbox_sql.h"

namespace pawl::cli {
namespace {

struct Wish {
    std::string pipeline;  // empty: all in outbox mode
    bool apply = false;
    bool drop = false;
    bool force = false;
};

using Steps = std::vector<source::SetupStep>;

Result<std::vector<const config::Pipeline*>> outbox_pipelines(const config::Config& config,
                                                              const std::string& name) {
    std::vector<const config::Pipeline*> pipelines;
    std::vector<std::string> others;
    for (const config::Pipeline& pipeline : config.pipelines) {
        if (pipeline.source.outbox && (name.empty() || pipeline.name == name)) pipelines.push_back(&pipeline);
        if (pipeline.source.outbox) others.push_back(pipeline.name);
    }
    if (!pipelines.empty()) return pipelines;
    if (others.empty())
        return fail(ErrorKind::invalid, "no pipeline of the config is in outbox mode",
                    "set pipeline.source.mode = \"outbox\"");
    return fail(ErrorKind::invalid, fmt::format("no pipeline \"{}\" is in outbox mode", name),
                fmt::format("those are: {}", fmt::join(others, ", ")));
}

class OutboxSql {
  public:
    OutboxSql(const config::Config& config, const Wish& wish, source::Connection& connection, Io& io)
        : config_(config), wish_(wish), connection_(connection), io_(io) {}

    Result<void> carry_out(const config::Pipeline& pipeline) {
        auto steps = plan(pipeline);
        if (!steps) return std::unexpected(std::move(steps.error()));
        if (!wish_.apply) {
            print(pipeline, *steps);
            return {};
        }
        if (!wish_.drop) return apply(*steps);
        // The triggers' end waited for all who had set them off: only now is what is in the table final.
        const source::SetupStep table = steps->back();
        steps->pop_back();
        if (auto done = apply(*steps); !done) return done;
        if (auto again = plan(pipeline); !again) return std::unexpected(std::move(again.error()));
        return apply({table});
    }

  private:
    Result<Steps> plan(const config::Pipeline& pipeline) {
        const std::string& database = config_.mariadb.database;
        return wish_.drop ? source::outbox_removal(connection_, database, pipeline.source, wish_.force)
                          : source::outbox_setup(connection_, database, pipeline.source);
    }

    void print(const config::Pipeline& pipeline, const Steps& steps) {
        io_.out << fmt::format(
            "-- {} the outbox of the pipeline {} (`pawl outbox-sql{}`). Running this again is harmless.\n",
            wish_.drop ? "Removes" : "Makes", pipeline.name, wish_.drop ? " --drop" : "");
        std::vector<std::string> statements{source::session_for_outbox()};
        for (const source::SetupStep& step : steps)
            statements.push_back(step.sql);
        io_.out << source::client_script(statements);
    }

    Result<void> apply(const Steps& steps) {
        for (const source::SetupStep& step : steps) {
            if (!step.is_done)
                if (auto done = source::carry_out(connection_, step); !done) return done;
            io_.out << fmt::format("{}: {}\n", printable(step.what), step.is_done ? "nothing to do" : "done");
        }
        return {};
    }

    const config::Config& config_;
    const Wish& wish_;
    source::Connection& connection_;
    Io& io_;
};

Result<void> carry_out(const std::string& config_file, const Wish& wish, Io& io) {
    const auto config = config::load(config_file);
    if (!config) return std::unexpected(config.error());
    const auto pipelines = outbox_pipelines(*config, wish.pipeline);
    if (!pipelines) return std::unexpected(pipelines.error());
    source::Interrupt interrupt;
    auto connection = source::Connection::open(config->mariadb, interrupt);
    if (!connection) return std::unexpected(std::move(connection.error()));
    OutboxSql command(*config, wish, *connection, io);
    for (const config::Pipeline* pipeline : *pipelines)
        if (auto done = command.carry_out(*pipeline); !done)
            return std::unexpected(std::move(done.error()).within("pipeline " + pipeline->name));
    return {};
}

int run(const Words& words, Io& io) {
    Wish wish;
    std::string config_file;
    Arguments arguments(outbox_sql_command);
    arguments.config_file(config_file);
    arguments.option("--pipeline", "NAME", wish.pipeline, "only this one (default: all in outbox mode)");
    arguments.flag(
        "--apply", wish.apply,
        "run it as the user of [mariadb], who becomes the triggers' definer: it needs CREATE and "
        "INSERT on the outbox, TRIGGER and SELECT on the tables, and must keep INSERT, TRIGGER and "
        "SELECT, else writers' statements fail");
    arguments.flag("--drop", wish.drop, "remove the triggers, then the outbox");
    arguments.flag("--force", wish.force, "with --drop: even if the outbox still has rows");
    if (const auto code = arguments.parse(words, io)) return *code;
    if (wish.force && !wish.drop) return report_usage(io, "--force goes with --drop", "outbox-sql");
    if (const auto done = carry_out(config_file, wish, io); !done) return report(io, done.error());
    return exit_code::done;
}

}  // namespace

const Command outbox_sql_command{"outbox-sql", "Print or run the SQL that makes an outbox and its triggers",
                                 "pawl outbox-sql --config pawl.toml | mariadb", run};

}  // namespace pawl::cli
