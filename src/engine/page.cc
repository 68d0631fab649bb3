#include "engine/page.h"

#include <algorithm>
#include <cstring>

#include "engine/limits.h"

namespace pawl::engine {

char* Page::allocate(std::size_t bytes) {
    if (bytes > free_bytes_) {
        const std::size_t chunk_bytes = std::max(bytes, limits::page_chunk_bytes);
        chunks_.push_back(std::make_unique_for_overwrite<char[]>(chunk_bytes));
        free_ = chunks_.back().get();
        free_bytes_ = chunk_bytes;
    }
    char* const begin = free_;
    free_ += bytes;
    free_bytes_ -= bytes;
    bytes_ += bytes;
    return begin;
}

void Page::add(const Row& row) {
    const auto keep = [this](std::string_view text) {
        if (text.empty()) return std::string_view{};
        char* const copy = allocate(text.size());
        std::memcpy(copy, text.data(), text.size());
        return std::string_view(copy, text.size());
    };
    rows_.push_back({row.revision, row.action, keep(row.entity), keep(row.document), keep(row.error)});
}

}  // namespace pawl::engine
