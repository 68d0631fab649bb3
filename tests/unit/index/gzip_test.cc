#include "index/gzip.h"

#include <zlib.h>

#include <catch2/catch.hpp>

TEST_CASE("what is compressed comes out again as it was") {
    for (const std::size_t bytes : {std::size_t{0}, std::size_t{1}, std::size_t{1'000'000}}) {
        std::string plain(bytes, 'x');
        for (std::size_t i = 0; i < bytes; i += 7)
            plain[i] = static_cast<char>(i * 31);
        std::string compressed = "old content";
        REQUIRE(pawl::index::gzip(plain, compressed));

        std::string back(bytes + 1, '\0');
        z_stream stream{};
        REQUIRE(inflateInit2(&stream, 15 + 16) == Z_OK);
        stream.next_in = reinterpret_cast<Bytef*>(compressed.data());
        stream.avail_in = static_cast<uInt>(compressed.size());
        stream.next_out = reinterpret_cast<Bytef*>(back.data());
        stream.avail_out = static_cast<uInt>(back.size());
        CHECK(inflate(&stream, Z_FINISH) == Z_STREAM_END);
        inflateEnd(&stream);
        back.resize(stream.total_out);
        CHECK(back == plain);
    }
}
