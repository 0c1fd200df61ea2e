// Effective priority: computed from the configuration's base and all facts of health checks, in full each
// time. The same function that decides also yields the explanation for `vipctl explain`.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "vrrp/parameters.h"

namespace vipd::vrrp {

// The state of one check. A snapshot: repeating it is harmless.
struct CheckFact {
  std::string check;  // full name: "web/nginx"
  bool healthy = false;
  std::optional<int> priority;  // a script's printed change of priority, in place of up and down
  std::string detail;           // "status 502, expected 200"
  TimePoint since{};            // of the last change
  bool operator==(const CheckFact&) const = default;
};

using CheckFacts = std::map<std::string, CheckFact>;

struct EffectivePriority {
  Priority value = default_priority;
  std::vector<std::string> initialize;  // why the virtual router must not take part, one reason per check
  std::vector<std::string>
      explanation;  // sentences: "base priority 250", "-60: check web/nginx is down: ..."
};

// A check without a fact has no result yet. It counts as down, so that a node never takes the addresses
// before it knows that its service works. The effective priority stays within 1 to 254; an address owner
// keeps 255.
EffectivePriority effective_priority(const VirtualRouterConfig& config, const CheckFacts& facts);

template <class A>
constexpr void fields(A& a, Is<CheckFact> auto& f) {
  a("check", f.check)("healthy", f.healthy)("priority", f.priority)("detail", f.detail)("since", f.since);
}
inline bool valid(const CheckFact& fact) {
  return !fact.priority || (*fact.priority >= -254 && *fact.priority <= 254);
}

}  // namespace vipd::vrrp
