#include "tests/unit/journal/support.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <stdexcept>

// Of clang's runtime; there only in a build that counts branches (tools/coverage).
extern "C" int __llvm_profile_write_file() __attribute__((weak));  // NOLINT(bugprone-reserved-identifier)

namespace pawl::journal::test {

namespace {

// In memory where there is room: thousands of fsyncs on a real disk would only test the disk.
std::filesystem::path temporary_place() {
    const std::filesystem::path memory = "/dev/shm";
    constexpr std::uintmax_t needed_bytes = 48U << 20;
    std::error_code error;
    const auto space = std::filesystem::space(memory, error);
    return !error && space.available >= needed_bytes ? memory : std::filesystem::temp_directory_path();
}

}  // namespace

TemporaryFolder::TemporaryFolder() {
    std::string name = (temporary_place() / "pawl-journal-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
}

TemporaryFolder::~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
}

int in_child(const std::function<int()>& body) {
    const pid_t child = ::fork();
    if (child < 0) throw std::runtime_error("no child");
    if (child == 0) {
        // Catch2 catches signals to report them; a child just dies. What it prints belongs to no test.
        for (const int number : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTERM})
            std::signal(number, SIG_DFL);
        ::dup2(::open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
        const int code = body();
        if (__llvm_profile_write_file != nullptr) __llvm_profile_write_file();  // _exit does not
        ::_exit(code);
    }
    int status = 0;
    while (::waitpid(child, &status, 0) < 0) {
    }
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

bool aborts(const std::function<void()>& body) {
    return in_child([&] {
               body();
               return 0;
           }) == -SIGABRT;
}

LiveProcess::LiveProcess(const std::function<std::shared_ptr<void>()>& prepare) {
    std::array<int, 2> ends{};
    if (::pipe(ends.data()) != 0) throw std::runtime_error("no pipe");
    pid_ = ::fork();
    if (pid_ < 0) throw std::runtime_error("no child");
    if (pid_ == 0) {
        const std::shared_ptr<void> kept = prepare();
        const char ready = kept ? 'y' : 'n';
        if (::write(ends[1], &ready, 1) != 1) ::_exit(1);
        for (;;)
            ::pause();
    }
    ::close(ends[1]);
    char ready = 'n';
    const bool is_told = ::read(ends[0], &ready, 1) == 1;
    ::close(ends[0]);
    if (is_told && ready == 'y') return;
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
    throw std::runtime_error("the child could not prepare itself");
}

LiveProcess::~LiveProcess() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
}

LiveProcess live_writer(const std::filesystem::path& folder, const std::vector<Change>& changes) {
    return LiveProcess([&]() -> std::shared_ptr<void> {
        auto writer = Writer::open(folder);
        if (!writer || !writer->commit(changes)) return nullptr;
        return std::make_shared<Writer>(std::move(*writer));
    });
}

std::string read_bytes(const std::filesystem::path& file) {
    std::ifstream stream(file, std::ios::binary);
    if (!stream) throw std::runtime_error("no file " + file.string());
    return {std::istreambuf_iterator<char>(stream), {}};
}

void write_bytes(const std::filesystem::path& file, const std::string& bytes) {
    std::ofstream stream(file, std::ios::binary | std::ios::trunc);
    stream.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    if (!stream.flush()) throw std::runtime_error("cannot write " + file.string());
}

BeginPipeline begin_of(const std::string& pipeline, Revision high) {
    BeginPipeline change;
    change.pipeline = pipeline;
    change.source = {SourceMode::revision, "karp", pipeline};
    change.target = {pipeline, pipeline + "-20261124t021504", "Zt2vXK0oTqSbB0vWJ1mN0g"};
    change.high = high;
    change.at = 1'000;
    return change;
}

OpenBatch open_of(const std::string& pipeline, BatchId id, Revision first, Revision last) {
    OpenBatch change;
    change.batch.id = id;
    change.batch.pipeline = pipeline;
    change.batch.revisions.insert(Interval{first, last});
    change.batch.content.rows = static_cast<std::uint32_t>(last - first + 1);
    change.batch.content.indexed = change.batch.content.rows;
    change.batch.content.digest = first * 31 + last;
    change.batch.index_uuid = "Zt2vXK0oTqSbB0vWJ1mN0g";
    change.batch.intent_at = 2'000 + static_cast<TimeMs>(id);
    change.high = last;
    return change;
}

ApplyBatch apply_of(const OpenBatch& open) {
    ApplyBatch change;
    change.pipeline = open.batch.pipeline;
    change.batch = open.batch.id;
    change.outcome.done = open.batch.content.indexed;
    change.at = open.batch.intent_at + 1;
    return change;
}

CommitBatches commit_of(const OpenBatch& open) {
    CommitBatches change;
    change.pipeline = open.batch.pipeline;
    change.batches = {open.batch.id};
    change.watermark = open.high;
    change.at = open.batch.intent_at + 2;
    return change;
}

QuarantineEntry entry_of(const std::string& pipeline, const std::string& entity, Revision revision) {
    QuarantineEntry entry;
    entry.pipeline = pipeline;
    entry.entity = entity;
    entry.revision = revision;
    entry.error = "mapper_parsing_exception";
    entry.reason = "failed to parse field [n] of type [long] in document with id '" + entity + "'";
    entry.since = 5'000;
    return entry;
}

std::vector<Change> sample_changes() {
    std::vector<Change> changes{begin_of("lex", 0), begin_of("saldo", 1'000)};
    for (BatchId id = 1; id <= 60; ++id) {
        OpenBatch open = open_of("lex", id, id * 100, id * 100 + 49);
        if (id == 60) {
            for (Revision gap = 0; gap < 3'000; ++gap)
                open.gaps.insert(6'000 - 2 * gap % 40);
            for (Revision gap = 0; gap < 3'000; ++gap)
                open.gaps.insert(10'000 + 3 * gap);
            open.high = 20'000;
        }
        changes.emplace_back(open);
        ApplyBatch apply = apply_of(open);
        if (id % 2 == 0) {
            apply.outcome = {open.batch.content.indexed - 1, 0, 1};
            apply.quarantined = {entry_of("lex", "entity-" + std::to_string(id), id * 100)};
        }
        if (id < 59) changes.emplace_back(apply);
        if (id < 58) changes.emplace_back(commit_of(open));
    }
    changes.emplace_back(open_of("saldo", 1, 1'001, 1'010));
    changes.emplace_back(SetCondition{"saldo", Condition::retrying, "http://127.0.0.1:9200 refuses", 7'000});
    return changes;
}

bool equal(const PipelineSnapshot& left, const PipelineSnapshot& right) {
    return left.pipeline == right.pipeline && left.gaps == right.gaps && left.batches == right.batches &&
           left.quarantine == right.quarantine;
}

bool equal(const std::vector<PipelineSnapshot>& left, const std::vector<PipelineSnapshot>& right) {
    return std::ranges::equal(left, right,
                              [](const auto& one, const auto& other) { return equal(one, other); });
}

}  // namespace pawl::journal::test
