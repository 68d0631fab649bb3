// Writes the seeds and regression inputs that nobody can write with an editor: make_corpus fuzz. Those of the
// other targets are text.
#include <cstdio>
#include <filesystem>
#include <string>
#include <vector>

#include "journal/codec.h"
#include "journal/format.h"
#include "journal/transition.h"
#include "tests/unit/journal/golden.h"
#include "tests/unit/journal/support.h"

using namespace pawl::journal;
using namespace pawl::journal::test;
namespace fs = std::filesystem;

namespace {

// As journal_record reads it: the checksum is the target's business.
void write_record(const fs::path& folder, const char* name, const std::string& key,
                  const std::string& value) {
    std::string bytes(1, static_cast<char>(key.size()));
    bytes += key + value.substr(0, value.size() - format::checksum_bytes);
    write_bytes(folder / name, bytes);
}

Batch batch_of(BatchState state) {
    ApplyBatch apply = apply_of(open_of("lex", 17, 100, 104));
    Batch batch = open_of("lex", 17, 100, 104).batch;
    batch.state = state;
    if (state == BatchState::intent) return batch;
    batch.outcome = apply.outcome;
    batch.applied_at = apply.at;
    if (state == BatchState::committed) batch.committed_at = apply.at + 1;
    return batch;
}

Pipeline pipeline_of(const std::string& name) {
    Pipeline pipeline;
    pipeline.name = name;
    pipeline.source = {SourceMode::revision, "karp", "lex"};
    pipeline.target = {"lex", "lex-20261124t021504", "Zt2vXK0oTqSbB0vWJ1mN0g"};
    pipeline.last_batch = 17;
    pipeline.high = 104;
    pipeline.watermark = 99;
    return pipeline;
}

void write_records(const fs::path& folder) {
    write_record(folder, "header", "journal", encode_header({format::version, 1'000, "pawl 0.1.0"}));
    write_record(folder, "header_of_a_newer_format", "journal",
                 encode_header({format::version + 1, 1'000, "pawl 9"}));
    write_record(folder, "commit", "commit", encode_commit(7, 0x0123456789abcdef));
    Pipeline pipeline = pipeline_of("lex");
    write_record(folder, "pipeline_running", "lex", encode_pipeline(pipeline));
    pipeline.checkpoint = Checkpoint{90, 5'000};
    pipeline.anchors = {{10, 0x0123456789abcdef}, {90, 42}};
    pipeline.condition = Condition::retrying;
    pipeline.condition_detail = "http://127.0.0.1:9200 refuses";
    write_record(folder, "pipeline_with_checkpoint_and_anchors", "lex", encode_pipeline(pipeline));
    write_record(folder, "gaps", "lex",
                 encode_gaps("lex", IntervalSet({{11, 13}, {21, 24}, {300, 100'000}})));
    const Revision last = revision_max;
    write_record(folder, "gaps_at_the_end_of_the_range", "lex",
                 encode_gaps("lex", IntervalSet({{1, 1}, {last, last}})));
    const std::string key = batch_key("lex", 17);
    write_record(folder, "batch_in_intent", key, encode_batch(batch_of(BatchState::intent)));
    write_record(folder, "batch_applied", key, encode_batch(batch_of(BatchState::applied)));
    write_record(folder, "batch_committed", key, encode_batch(batch_of(BatchState::committed)));
    for (const bool is_long : {false, true}) {
        const QuarantineEntry entry =
            as_kept(entry_of("lex", is_long ? std::string(1'024, 'k') : "katt..nn.1", 3));
        const std::string name = quarantine_key("lex", entry.entity);
        write_record(folder, is_long ? "quarantine_of_a_cut_entity" : "quarantine", name,
                     encode_quarantine(name, entry));
    }
}

// The data file after these changes, one transaction each.
void write_file(const fs::path& to, const std::vector<Change>& changes) {
    const TemporaryFolder folder;
    auto writer = Writer::open(folder.journal());
    for (const Change& change : changes)
        if (!writer || !writer->commit(std::vector<Change>{change})) std::printf("%s: failed\n", to.c_str());
    writer = pawl::fail(pawl::ErrorKind::storage, "closed");
    write_bytes(to, read_bytes(folder.journal() / format::data_file));
}

void write_files(const fs::path& folder) {
    const OpenBatch open = open_of("lex", 1, 1, 10);
    OpenBatch above_a_gap = open_of("lex", 2, 14, 20);
    above_a_gap.gaps = IntervalSet({{11, 13}});
    ApplyBatch rejected = apply_of(open);
    rejected.outcome = {9, 0, 1};
    rejected.quarantined = {entry_of("lex", "katt..nn.1", 3)};
    const CommitBatches committed{"lex", {1}, 10, 3'000};
    write_file(folder / "empty", {});
    write_file(folder / "one_pipeline", {begin_of("lex")});
    write_file(folder / "batch_in_intent", {begin_of("lex"), open});
    write_file(folder / "batch_applied_with_quarantine", {begin_of("lex"), open, rejected});
    write_file(folder / "batch_committed", {begin_of("lex"), open, apply_of(open), committed});
    write_file(folder / "gap_above_the_watermark",
               {begin_of("lex"), open, apply_of(open), committed, above_a_gap});
    write_file(folder / "two_pipelines", {begin_of("lex"), open, begin_of("saldo", 7)});
    write_file(folder / "golden_with_big_data", golden_changes(format::version));
    write_file(folder / "trees_with_branches", sample_changes());
    const std::string whole = read_bytes(folder / "gap_above_the_watermark");
    write_bytes(folder / "cut_in_the_middle_of_a_page", whole.substr(0, whole.size() - 6'000));
    std::string flipped = whole;
    flipped[flipped.size() - 100] ^= 1;
    write_bytes(folder / "flipped_bit", flipped);
}

// All commit records of the file, with sums that are right for another record in place of one.
void correct_sums(std::string& bytes, std::string_view written, std::string_view forged) {
    const auto part = [](std::string_view value) { return sum_part_of("pipelines", "lex", value); };
    const std::string key(format::commit_key);
    constexpr std::size_t value_bytes = format::commit::fixed_bytes + format::checksum_bytes;
    for (auto at = bytes.find(key); at != bytes.npos; at = bytes.find(key, at + 1)) {
        const std::size_t value_at = at + key.size();
        const auto commit = decode_commit(key, std::string_view(bytes).substr(value_at, value_bytes));
        if (!commit || !commit->sum) continue;
        const std::uint64_t sum = *commit->sum - part(written) + part(forged);
        bytes.replace(value_at, value_bytes, encode_commit(commit->transaction, sum));
    }
}

// The data file `from` with the first record `written` replaced by one that contradicts the others.
void forge(const fs::path& from, const fs::path& to, const std::string& written, const std::string& forged) {
    std::string bytes = read_bytes(from);
    const auto at = bytes.find(written);
    if (at == bytes.npos || written.size() != forged.size()) std::printf("%s: failed\n", to.c_str());
    bytes.replace(at, written.size(), forged);
    correct_sums(bytes, written, forged);
    write_bytes(to, bytes);
}

// Checksums are right, and the engine would stop at an assertion: journal/contradictions.h refuses them.
void write_contradictions(const fs::path& seeds, const fs::path& folder) {
    const fs::path from = seeds / "batch_in_intent";
    Pipeline pipeline = begin(nullptr, begin_of("lex"));
    pipeline.last_batch = 1;
    pipeline.high = 10;
    const std::string written = encode_pipeline(pipeline);
    pipeline.last_batch = 0;
    forge(from, folder / "batch_above_the_last_one", written, encode_pipeline(pipeline));
    pipeline.last_batch = ~BatchId{0};
    forge(from, folder / "last_batch_without_a_next", written, encode_pipeline(pipeline));
    Batch batch = open_of("lex", 1, 1, 10).batch;
    const std::string intent = encode_batch(batch);
    batch.content.rows = 9;
    forge(from, folder / "more_actions_than_rows", intent, encode_batch(batch));
    batch.content.rows = 10;
    batch.outcome.done = 11;
    forge(from, folder / "outcome_in_intent_and_above_rows", intent, encode_batch(batch));
    const std::string gaps = encode_gaps("lex", IntervalSet({{11, 13}}));
    forge(seeds / "gap_above_the_watermark", folder / "gap_below_the_watermark", gaps,
          encode_gaps("lex", IntervalSet({{10, 12}})));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fprintf(stderr, "usage: make_corpus fuzz\n");
        return 2;
    }
    const fs::path corpus = fs::path(argv[1]) / "corpus";
    const fs::path regressions = fs::path(argv[1]) / "regressions" / "journal_file";
    for (const fs::path& folder : {corpus / "journal_record", corpus / "journal_file", regressions})
        fs::create_directories(folder);
    write_records(corpus / "journal_record");
    write_files(corpus / "journal_file");
    write_contradictions(corpus / "journal_file", regressions);
    return 0;
}
