// A document as one number, compared as a JSON value: the order of an object's keys, white space, escapes and
// the spelling of numbers do not matter.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "verify/source_filter.h"

namespace pawl::verify {

// 1, 1.0, 10e-1 and 1E0 are one number. Integers of any length are compared digit by digit; numbers with a
// fraction or an exponent as the nearest double, since an index that takes fields out of a document writes
// its numbers anew in that way. 1 and "1", null and a missing key, [1] and 1 are different.
//
// With a filter that does not keep all, what it leaves out is not looked at, nor are objects and arrays that
// hold nothing (more): the index drops some of those.
//
// Text that is no JSON, or nested too deep, is taken byte for byte. Keeps its memory; one thread at a time.
class JsonDigester {
  public:
    explicit JsonDigester(SourceFilter filter = {});
    ~JsonDigester();
    JsonDigester(const JsonDigester&) = delete;
    JsonDigester& operator=(const JsonDigester&) = delete;

    std::uint64_t digest_of(std::string_view json);  // never 0

  private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

// "-12.50e1" → "-125"; "0.1" → "1e-1"; the same text for every spelling. `number` as JSON has it.
std::string canonical_number(std::string_view number);

}  // namespace pawl::verify
