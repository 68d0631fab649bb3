// Every document of an index, page by page, by scroll: all versions of both products know it.
//
// Of one concrete index, not of an alias, so that what is found can be asked again, and taken out, where it
// was found. A page is as old as the scan: what changes meanwhile is not seen.
#pragma once

#include <cstddef>
#include <functional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "engine/request.h"
#include "index/server.h"

namespace pawl::index {

struct ScannedDocument {
    std::string_view id;  // 1 … 512 bytes
    engine::Revision version = 0;
    std::string_view source = {};  // the JSON object as the index gives it; empty when it was not asked for
};

// The views end with the call.
using DocumentVisitor = std::function<void(const ScannedDocument&)>;

struct ScanSettings {
    bool with_source = false;
    std::size_t page_documents = 0;  // >= 1
    std::size_t answer_bytes_max = 0;
};

class DocumentScan {
  public:
    DocumentScan(Call call, std::string index, ScanSettings settings);
    // Lets the server forget the scan; if that fails, it does so by itself after limits::scan_keep_minutes.
    ~DocumentScan();
    DocumentScan(const DocumentScan&) = delete;
    DocumentScan& operator=(const DocumentScan&) = delete;

    // Visits the next page's documents; false: there are no more. Documents may have been visited before an
    // error. Kind too_large: the page does not fit answer_bytes_max; begin anew with fewer documents a page.
    Result<bool> next(const DocumentVisitor& visit);

  private:
    HttpRequest first_page() const;
    HttpRequest another_page() const;

    Call call_;
    std::string index_;
    ScanSettings settings_;
    std::string scroll_id_;
};

// What was indexed before is found by a scan that begins afterwards.
Result<void> refresh_index(const Call& call, const std::string& index);

// One page's answer. Pure; any bytes are taken. `body`'s capacity may grow.
struct ScanAnswer {
    std::string scroll_id;
    std::size_t documents = 0;
};
Result<ScanAnswer> read_scan_answer(std::string& body, bool with_source, const DocumentVisitor& visit);

}  // namespace pawl::index
