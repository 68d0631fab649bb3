#include "index/gzip.h"

#include <limits>

#include <zlib.h>

#include "base/assert.h"

namespace pawl::index {

Result<void> gzip(std::string_view plain, std::string& out) {
    constexpr int window_bits_gzip = 15 + 16;
    constexpr int memory_level = 8;
    PAWL_ASSERT(plain.size() <= std::numeric_limits<uInt>::max());

    z_stream stream{};
    if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, window_bits_gzip, memory_level, Z_DEFAULT_STRATEGY) !=
        Z_OK)
        return fail(ErrorKind::unavailable, "no memory to compress a request",
                    "set elasticsearch.gzip = false");
    out.clear();
    out.resize_and_overwrite(deflateBound(&stream, plain.size()), [&](char* begin, std::size_t bytes_max) {
        // zlib's interface is older than const; it does not write to its input.
        stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(plain.data()));
        stream.avail_in = static_cast<uInt>(plain.size());
        stream.next_out = reinterpret_cast<Bytef*>(begin);
        stream.avail_out = static_cast<uInt>(bytes_max);
        const int outcome = deflate(&stream, Z_FINISH);
        PAWL_ASSERT(outcome == Z_STREAM_END);  // deflateBound is enough for one call
        return bytes_max - stream.avail_out;
    });
    deflateEnd(&stream);
    return {};
}

}  // namespace pawl::index
