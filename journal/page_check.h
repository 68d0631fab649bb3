// Walks one snapshot of an LMDB file page by page: finds what is damaged, and every record that can be
// reached all the same. Knows LMDB's trees and names of tables, not what records mean.
//
// Checked: every page is in the file and used once; its kind, depth and nodes (journal/page_file.h); keys are
// sorted and lie between the separators above them; runs of big data; the number of entries of a tree; free
// pages are disjoint and not in use. Pages that are neither used nor free are harmless and not looked for.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "journal/page_file.h"
#include "journal/reader.h"

namespace pawl::journal {

// Called with a table's name for every record in key order; the views live until it returns.
using OnRecord = std::function<void(std::string_view table, std::string_view key, std::string_view value)>;

// Adds what it finds to `damages`, at most limits::damages_max of them. `file` knows its page size. Gives the
// names of the tables that it found.
std::vector<std::string> walk_snapshot(const PageFile& file, const Meta& meta, const OnRecord& on_record,
                                       std::vector<Damage>& damages);

// The value of one key, by the pages that lead to it; nothing when it is not there or anything on the way is
// damaged.
std::optional<std::string> find_in_snapshot(const PageFile& file, const Meta& meta, std::string_view table,
                                            std::string_view key);

}  // namespace pawl::journal
