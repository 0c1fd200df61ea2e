// LeaseNews: which virtual routers have lost their lease, or have it again, since it was told last.
#pragma once

#include <set>
#include <vector>

#include "daemon/messages.h"
#include "events/event.h"

namespace vipd::daemon {

class LeaseNews {
 public:
  // An event for each of these virtual routers whose lease has come or gone; all have one to begin with.
  std::vector<events::Event> since_last(const std::vector<vrrp::VirtualRouterConfig>& routers,
                                        const Leases& leases, TimePoint now);

 private:
  std::set<vrrp::RouterKey> without_;
};

}  // namespace vipd::daemon
