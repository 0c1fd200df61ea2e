// StaleFacts: results of checks are valid for stale_after (vipd.yaml) after the last sign of life from the
// monitor. Then a check counts as down, like one without a result: whether the service still works is
// unknown. After the next sign of life the earlier results are valid again, until there are new ones.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "vrrp/parameters.h"
#include "vrrp/priority.h"

namespace vipd::programs {

class StaleFacts {
 public:
  explicit StaleFacts(TimePoint now) : heard_(now) {}

  void configure(const std::vector<vrrp::VirtualRouterConfig>& routers);

  // The monitor has given a sign of life. Returns the facts that are valid again.
  std::vector<vrrp::CheckFact> heard(TimePoint now);

  // The facts that have just expired, with their new state.
  std::vector<vrrp::CheckFact> expire(TimePoint now, const vrrp::CheckFacts& facts);
  TimePoint next_deadline() const;

 private:
  TimePoint heard_;
  std::map<std::string, Duration> stale_after_;  // of each check
  vrrp::CheckFacts believed_;                    // as they were before they expired
};

}  // namespace vipd::programs
