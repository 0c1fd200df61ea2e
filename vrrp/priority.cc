#include "vrrp/priority.h"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::vrrp {

namespace {

std::string condition(const TrackedCheck& tracked, const CheckFact* fact) {
  if (!fact) return fmt::format("check {} has no result yet", tracked.check);
  return fmt::format("check {} is {}: {}", tracked.check, fact->healthy ? "up" : "down", fact->detail);
}

}  // namespace

EffectivePriority effective_priority(const VirtualRouterConfig& config, const CheckFacts& facts) {
  EffectivePriority result;
  int sum = config.priority;
  result.explanation.push_back(
      fmt::format("base priority {}{}", config.priority,
                  config.owner() ? " (address owner: checks do not change it)" : ""));
  for (const auto& tracked : config.checks) {
    const auto found = facts.find(tracked.check);
    const CheckFact* fact = found == facts.end() ? nullptr : &found->second;
    if (fact && fact->healthy) {
      if (fact->priority && !config.owner()) {
        sum += *fact->priority;
        result.explanation.push_back(
            fmt::format("{:+}: result of check {}: {}", *fact->priority, tracked.check, fact->detail));
      } else {
        result.explanation.push_back(condition(tracked, fact));
      }
    } else if (tracked.initialize) {
      result.initialize.push_back(condition(tracked, fact));
      result.explanation.push_back(condition(tracked, fact) + " (on_failure: initialize)");
    } else if (config.owner()) {
      result.explanation.push_back(condition(tracked, fact));
    } else {
      sum += tracked.priority;
      result.explanation.push_back(fmt::format("{:+}: {}", tracked.priority, condition(tracked, fact)));
    }
  }
  result.value = config.owner() ? owner_priority : static_cast<Priority>(std::clamp(sum, 1, 254));
  if (!config.owner() && sum != result.value)
    result.explanation.push_back(fmt::format("the sum {} is limited to 1 to 254", sum));
  result.explanation.push_back(fmt::format("effective priority {}", result.value));
  return result;
}

}  // namespace vipd::vrrp
