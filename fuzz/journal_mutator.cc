#include "fuzz/journal_mutator.h"

#include <xxhash.h>

#include <algorithm>
#include <cstring>
#include <random>
#include <span>
#include <string>
#include <vector>

#include "journal/format.h"

// libFuzzer's own mutations, for a piece of memory.
extern "C" std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size, std::size_t size_max);

namespace pawl::fuzz {
namespace {

using Bytes = std::span<std::uint8_t>;

// Where LMDB's pages and nodes are; journal/page_file.h has the same layout, but refuses what does not fit.
constexpr std::size_t page_bytes = 4096;
constexpr std::size_t page_header_bytes = 16;
constexpr std::size_t page_lower_offset = 12;
constexpr std::size_t node_header_bytes = 8;
constexpr std::size_t meta_fields_bytes = page_header_bytes + 136;
constexpr std::size_t node_flags_offset = 4;
constexpr std::size_t key_bytes_offset = 6;
constexpr std::size_t leaf_flag = 0x02;
constexpr std::size_t big_data_flag = 0x01;

std::size_t u16_at(Bytes bytes, std::size_t offset) {
    return bytes[offset] | static_cast<std::size_t>(bytes[offset + 1]) << 8;
}

// A record's key and value, wherever in the file they are.
struct Record {
    Bytes key;
    Bytes value;
};

void add_records_of_page(Bytes file, std::size_t page, std::vector<Record>& records) {
    const Bytes bytes = file.subspan(page * page_bytes, page_bytes);
    const std::size_t nodes_end = std::min(u16_at(bytes, page_lower_offset), page_bytes);
    if (u16_at(bytes, 10) != leaf_flag) return;
    for (std::size_t at = page_header_bytes; at + 2 <= nodes_end; at += 2) {
        const std::size_t node = u16_at(bytes, at);
        if (node + node_header_bytes > page_bytes) continue;
        const std::size_t key_bytes = u16_at(bytes, node + key_bytes_offset);
        const std::size_t data = node + node_header_bytes + key_bytes;
        std::size_t data_bytes = u16_at(bytes, node) | u16_at(bytes, node + 2) << 16;
        Bytes value;
        if (u16_at(bytes, node + node_flags_offset) == 0 && data + data_bytes <= page_bytes) {
            value = bytes.subspan(data, data_bytes);
        } else if (u16_at(bytes, node + node_flags_offset) == big_data_flag && data + 8 <= page_bytes) {
            std::uint64_t first = 0;
            std::memcpy(&first, bytes.data() + data, sizeof(first));
            if (first >= file.size() / page_bytes) continue;
            const std::size_t begin = first * page_bytes + page_header_bytes;
            if (data_bytes <= file.size() - begin) value = file.subspan(begin, data_bytes);
        }
        if (value.size() > journal::format::checksum_bytes)
            records.push_back({bytes.subspan(node + node_header_bytes, key_bytes), value});
    }
}

std::vector<Record> records_in(Bytes file) {
    std::vector<Record> records;
    for (std::size_t page = 2; page < file.size() / page_bytes; ++page)
        add_records_of_page(file, page, records);
    return records;
}

std::uint64_t u64_at(Bytes bytes, std::size_t offset) {
    std::uint64_t number = 0;
    std::memcpy(&number, bytes.data() + offset, sizeof(number));
    return number;
}

bool is_commit(const Record& record) {
    constexpr auto type = static_cast<std::uint8_t>(journal::format::RecordType::commit);
    return std::ranges::equal(record.key, journal::format::commit_key) && record.value.front() == type &&
           record.value.size() == journal::format::commit::fixed_bytes + journal::format::checksum_bytes;
}

// Gives by how much the checksum has changed.
std::uint64_t make_checksum_right(const Record& record) {
    const std::size_t summed = record.value.size() - journal::format::checksum_bytes;
    std::string bytes(record.key.begin(), record.key.end());
    bytes.append(record.value.begin(), record.value.begin() + static_cast<std::ptrdiff_t>(summed));
    const std::uint64_t before = u64_at(record.value, summed);
    const std::uint64_t checksum = XXH3_64bits(bytes.data(), bytes.size());
    std::memcpy(record.value.data() + summed, &checksum, sizeof(checksum));
    return checksum - before;
}

// Of all commit records: which one the newest meta page leads to is not looked for.
void add_to_sums(std::span<const Record> records, std::uint64_t change) {
    for (const Record& record : records) {
        if (!is_commit(record)) continue;
        std::uint8_t* const place = record.value.data() + journal::format::commit::sum_offset;
        const std::uint64_t sum = u64_at(record.value, journal::format::commit::sum_offset) + change;
        std::memcpy(place, &sum, sizeof(sum));
        make_checksum_right(record);
    }
}

class Mutator {
  public:
    Mutator(Bytes file, unsigned seed) : file_(file), random_(seed) {}

    std::size_t mutate(std::size_t size_max) {
        switch (below(10)) {
            case 0:
                return cut_or_grow(size_max);
            case 1:
                window(below(2) * page_bytes, meta_fields_bytes);
                return file_.size();
            case 2:
            case 3:
                page_piece();
                return file_.size();
            case 4:
                copy_page();
                return file_.size();
            case 5:
                number_in_record();
                return file_.size();
            default:
                record();
                return file_.size();
        }
    }

  private:
    std::size_t below(std::size_t bound) {
        return std::uniform_int_distribution<std::size_t>(0, bound - 1)(random_);
    }

    // A few bytes between begin and begin + bytes; the file keeps its size.
    void window(std::size_t begin, std::size_t bytes) {
        if (begin >= file_.size()) return;
        change(file_.subspan(begin, std::min(bytes, file_.size() - begin)));
    }
    void change(Bytes bytes) {
        if (bytes.empty()) return;
        const std::size_t count = std::min(bytes.size(), 1 + below(16));
        const std::size_t begin = below(bytes.size() - count + 1);
        LLVMFuzzerMutate(bytes.data() + begin, count, count);
    }
    // The header, the nodes' offsets, or anything of a page.
    void page_piece() {
        const std::size_t begin = below(file_.size() / page_bytes + 1) * page_bytes;
        window(begin, below(2) == 0 ? page_header_bytes + 8 : page_bytes);
    }
    void record() {
        auto records = records_in(file_);
        if (records.empty()) return;
        const Record& chosen = records[below(records.size())];
        change(chosen.value.first(chosen.value.size() - journal::format::checksum_bytes));
        make_right(records, chosen);
        if (below(4) == 0) std::ranges::for_each(records, make_checksum_right);
    }
    // Many records are of pages that are free by now and count in no sum, so the sums do not always follow.
    void make_right(std::span<const Record> records, const Record& changed) {
        const std::uint64_t change = make_checksum_right(changed);
        if (!is_commit(changed) && below(3) != 0) add_to_sums(records, change);
    }
    // One of the numbers that records are about becomes a near or a far one.
    void number_in_record() {
        auto records = records_in(file_);
        if (records.empty()) return;
        const Record& chosen = records[below(records.size())];
        const std::size_t room = chosen.value.size() - journal::format::checksum_bytes;
        if (room < sizeof(std::uint64_t)) return;
        std::uint8_t* const place = chosen.value.data() + below(room - sizeof(std::uint64_t) + 1);
        std::uint64_t number = 0;
        std::memcpy(&number, place, sizeof(number));
        switch (below(4)) {
            case 0:
                number += 1;
                break;
            case 1:
                number -= 1;
                break;
            case 2:
                number = below(100);
                break;
            default:
                number = ~std::uint64_t{0} >> below(64);
        }
        std::memcpy(place, &number, sizeof(number));
        make_right(records, chosen);
    }
    // Another page's content under this page's number: an older copy, a page of another table.
    void copy_page() {
        const std::size_t pages = file_.size() / page_bytes;
        if (pages < 4) return;
        const std::size_t from = 2 + below(pages - 2);
        const std::size_t to = 2 + below(pages - 2);
        const std::size_t kept = below(4) == 0 ? 0 : sizeof(std::uint64_t);  // the number
        std::memmove(file_.data() + to * page_bytes + kept, file_.data() + from * page_bytes + kept,
                     page_bytes - kept);
    }
    std::size_t cut_or_grow(std::size_t size_max) {
        if (below(2) == 0) return 1 + below(file_.size());
        const std::size_t more = std::min(size_max - file_.size(), page_bytes * (1 + below(2)));
        std::memset(file_.data() + file_.size(), 0, more);
        return file_.size() + more;
    }

    Bytes file_;
    std::mt19937 random_;
};

}  // namespace

std::size_t mutate_journal(std::uint8_t* data, std::size_t size, std::size_t size_max, unsigned seed) {
    if (size == 0) return LLVMFuzzerMutate(data, size, size_max);
    return Mutator({data, size}, seed).mutate(size_max);
}

}  // namespace pawl::fuzz
