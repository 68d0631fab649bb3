// Any bytes as any record of the journal: decoding never crashes, and the checksum lets nothing of it pass.
#include <algorithm>
#include <cstdint>
#include <string_view>

#include "journal/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace pawl::journal;
    const std::string_view bytes(reinterpret_cast<const char*>(data), size);
    // The first byte says how long the key is.
    const std::size_t key_bytes = size == 0 ? 0 : std::min<std::size_t>(data[0], size - 1);
    const std::string_view key = bytes.substr(size == 0 ? 0 : 1, key_bytes);
    const std::string_view value = bytes.substr(size == 0 ? 0 : 1 + key_bytes);
    static_cast<void>(decode_header(key, value));
    static_cast<void>(decode_commit(key, value));
    static_cast<void>(decode_pipeline(key, value));
    static_cast<void>(decode_gaps(key, value));
    static_cast<void>(decode_batch(key, value));
    static_cast<void>(decode_quarantine(key, value));
    return 0;
}
