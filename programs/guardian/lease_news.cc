#include "programs/guardian/lease_news.h"

#include <utility>

#include "events/names.h"

namespace vipd::programs {

std::vector<events::Event> LeaseNews::since_last(const std::vector<vrrp::VirtualRouterConfig>& routers,
                                                 const Leases& leases, TimePoint now) {
  std::vector<events::Event> news;
  for (const auto& router : routers) {
    const auto why_not = leases.why_not.find(router.key);
    const bool without = why_not != leases.why_not.end();
    if (without == without_.contains(router.key)) continue;
    auto event = events::make_event(
        events::lease_changed,
        without ? "has no lease: " + why_not->second : std::string("has a lease again"), !without);
    event.router = router.name;
    event.virtual_router = to_string(router.key);
    event.when = now;
    news.push_back(std::move(event));
    if (without)
      without_.insert(router.key);
    else
      without_.erase(router.key);
  }
  return news;
}

}  // namespace vipd::programs
