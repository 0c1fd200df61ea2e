#include "programs/router/stale_facts.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace vipd::programs {

void StaleFacts::configure(const std::vector<vrrp::VirtualRouterConfig>& routers) {
  stale_after_.clear();
  for (const auto& router : routers)
    for (const auto& tracked : router.checks) stale_after_[tracked.check] = tracked.stale_after;
}

std::vector<vrrp::CheckFact> StaleFacts::heard(TimePoint now) {
  heard_ = now;
  std::vector<vrrp::CheckFact> again;
  for (auto& [name, fact] : std::exchange(believed_, {})) again.push_back(std::move(fact));
  return again;
}

std::vector<vrrp::CheckFact> StaleFacts::expire(TimePoint now, const vrrp::CheckFacts& facts) {
  std::vector<vrrp::CheckFact> stale;
  for (const auto& [name, bound] : stale_after_) {
    const auto fact = facts.find(name);
    if (now - heard_ < bound || fact == facts.end() || believed_.contains(name)) continue;
    believed_.insert(*fact);
    stale.push_back({name,
                     false,
                     {},
                     fmt::format("no result for {}: no sign of life from vipd-monitor", in_words(bound)),
                     now});
  }
  return stale;
}

TimePoint StaleFacts::next_deadline() const {
  TimePoint earliest = never;
  for (const auto& [name, bound] : stale_after_)
    if (!believed_.contains(name)) earliest = std::min(earliest, heard_ + bound);
  return earliest;
}

}  // namespace vipd::programs
