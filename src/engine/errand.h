// A request of which one may be under way at a time, and whose answer may have lost its meaning by the time
// that it comes.
#pragma once

#include <utility>

namespace pawl::engine {

class Errand {
  public:
    bool under_way() const { return under_way_; }
    void begin() { under_way_ = true; }
    // The answer that is still to come will mean nothing.
    void forget() { forgotten_ = under_way_; }
    // An answer has come. False: it means nothing.
    bool end() { return std::exchange(under_way_, false) && !std::exchange(forgotten_, false); }

  private:
    bool under_way_ = false;
    bool forgotten_ = false;
};

}  // namespace pawl::engine
