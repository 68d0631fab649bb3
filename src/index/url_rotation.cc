#include "index/url_rotation.h"

#include "base/assert.h"
#include "index/limits.h"

namespace pawl::index {

std::optional<std::size_t> UrlRotation::pick(const std::vector<bool>& tried, TimeMs now) const {
    PAWL_ASSERT(tried.size() == rests_until_.size());
    std::optional<std::size_t> soonest;
    for (std::size_t step = 0; step < tried.size(); ++step) {
        const std::size_t url = (current_ + step) % tried.size();
        if (tried[url]) continue;
        if (rests_until_[url] <= now) return url;
        if (!soonest || rests_until_[url] < rests_until_[*soonest]) soonest = url;
    }
    return soonest;
}

void UrlRotation::failed(std::size_t url, TimeMs now) {
    rests_until_[url] = now + limits::url_rest_ms;
    if (url == current_) current_ = (current_ + 1) % rests_until_.size();
}

}  // namespace pawl::index
