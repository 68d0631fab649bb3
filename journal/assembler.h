// Puts a journal together from its records, whoever reads them: LMDB or our own page reader.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "journal/codec.h"
#include "journal/reader.h"

namespace pawl::journal {

class Assembler {
  public:
    // Any order, any bytes. What does not decode becomes a damage.
    void add(std::string_view table, std::string_view key, std::string_view value);
    void add_damage(std::string where, std::string what);

    // Of the header record, as soon as it was added.
    const std::optional<Header>& header() const { return header_; }

    // Pipelines by name, batches by id, quarantine by entity. Records of a pipeline without a record of its
    // own are shown under its name, and are a damage; so is a sum in the commit record that is another than
    // that of what was added, where there is no other damage.
    Contents finish() &&;

  private:
    struct Parts {
        bool known = false;  // it has a record of its own
        PipelineSnapshot snapshot;
    };

    void add_meta(std::string_view key, std::string_view value);
    void check_sum();
    Parts& parts_of(const std::string& pipeline);

    std::optional<Header> header_;
    std::optional<Commit> commit_;
    std::uint64_t sum_ = 0;  // of what was added
    std::map<std::string, Parts> pipelines_;
    std::vector<Damage> damages_;
};

class Environment;

// One moment of an open journal.
Result<Contents> read_all(const Environment& environment);

}  // namespace pawl::journal
