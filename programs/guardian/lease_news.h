// LeaseNews: which virtual routers have lost or regained their lease since the last report.
#pragma once

#include <set>
#include <vector>

#include "events/event.h"
#include "programs/common/guardian_router_messages.h"

namespace vipd::programs {

class LeaseNews {
 public:
  // An event for each of these virtual routers that has lost or regained its lease; at first all count as
  // having one.
  std::vector<events::Event> since_last(const std::vector<vrrp::VirtualRouterConfig>& routers,
                                        const Leases& leases, TimePoint now);

 private:
  std::set<vrrp::RouterKey> without_;
};

}  // namespace vipd::programs
