// StaleFacts: what the checks said is believed for stale_after (vipd.yaml) after the monitor was heard last.
// Then a check counts as down, as one does that has no result: nobody can say that the service still works.
// When the monitor is heard again, what was believed before holds again, until it says otherwise.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "vrrp/parameters.h"
#include "vrrp/priority.h"

namespace vipd::daemon {

class StaleFacts {
 public:
  explicit StaleFacts(TimePoint now) : heard_(now) {}

  void configure(const std::vector<vrrp::VirtualRouterConfig>& routers);

  // The monitor has shown that it works. Returns the facts that are believed again.
  std::vector<vrrp::CheckFact> heard(TimePoint now);

  // The facts that have just become too old, as what they are from now on.
  std::vector<vrrp::CheckFact> expire(TimePoint now, const vrrp::CheckFacts& facts);
  TimePoint next_deadline() const;

 private:
  TimePoint heard_;
  std::map<std::string, Duration> stale_after_;  // of each check
  vrrp::CheckFacts believed_;                    // before they became stale
};

}  // namespace vipd::daemon
