#include "vrrp/sync_group.h"

#include <algorithm>

namespace vipd::vrrp::sync_group {

TakeOver take_over(const VirtualRouter& router, const std::vector<VirtualRouter*>& entry, TimePoint now) {
  const bool all_ready = std::all_of(entry.begin(), entry.end(), [&](const VirtualRouter* each) {
    return each == &router || each->state() != StateName::backup || each->waits_for_siblings() ||
           each->active_down_timer_fired(now);
  });
  if (all_ready) return TakeOver::together;
  return router.waits_for_siblings() ? TakeOver::alone : TakeOver::wait;
}

bool active_for_another(const VirtualRouter& router, const std::vector<VirtualRouter*>& entry) {
  return std::any_of(entry.begin(), entry.end(), [&](const VirtualRouter* each) {
    return each != &router && each->state() == StateName::active;
  });
}

std::vector<std::string> shared_obstacles(const std::vector<std::vector<std::string>>& obstacles) {
  std::vector<std::string> result;
  for (const auto& of_one : obstacles)
    for (const auto& obstacle : of_one)
      if (std::find(result.begin(), result.end(), obstacle) == result.end()) result.push_back(obstacle);
  return result;
}

}  // namespace vipd::vrrp::sync_group
