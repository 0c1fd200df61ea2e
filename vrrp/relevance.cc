#include "vrrp/relevance.h"

#include <algorithm>

namespace vipd::vrrp {

Relevance relevance(const Status& status, const std::string& interface, Family family) {
  Relevance result;
  for (const auto& router : status.routers) {
    if (router.config.path() != interface || router.config.key.family != family) continue;
    const bool follows_lower_ones = !router.config.preempt_mode || router.yielded || router.releasing;
    result.least_priority =
        std::min(result.least_priority, follows_lower_ones ? Priority{1} : router.priority);
    if (router.followed) result.followed.insert(*router.followed);
  }
  return result;
}

}  // namespace vipd::vrrp
