// Activity: what the router has requested from the kernel for each virtual router since the program started,
// counted for metrics.
#pragma once

#include <cstdint>

#include "base/archive.h"

namespace vipd::programs {

struct Activity {
  std::uint64_t added = 0;      // addresses
  std::uint64_t removed = 0;    // addresses
  std::uint64_t renewed = 0;    // lifetimes of addresses
  std::uint64_t announced = 0;  // gratuitous ARP and unsolicited NA, frames
  bool operator==(const Activity&) const = default;
};

template <class A>
constexpr void fields(A& a, Is<Activity> auto& m) {
  a("added", m.added)("removed", m.removed)("renewed", m.renewed)("announced", m.announced);
}

}  // namespace vipd::programs
