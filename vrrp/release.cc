#include "vrrp/release.h"

#include <algorithm>

namespace vipd::vrrp {

namespace {
using namespace std::chrono_literals;

// The successor of a router that has left waits its Skew_Time, which is less than one interval, and then
// needs a moment to put the addresses in place.
constexpr Duration take_over_allowance = 200ms;
constexpr Duration longest = 45s;  // bounds an orderly stop at intervals of 40 s
constexpr Duration release_lease = 1s;

Duration successor_takes(Duration advertisement_interval) {
  return advertisement_interval + take_over_allowance;
}
}  // namespace

void Release::bound(TimePoint now, Duration advertisement_interval) {
  until_ = now + std::min(2 * successor_takes(advertisement_interval), longest);
  farewell_repeated_ = false;
}

bool Release::farewell_due(TimePoint now, Duration advertisement_interval) const {
  return farewell_again(advertisement_interval) <= now;
}

TimePoint Release::farewell_again(Duration advertisement_interval) const {
  if (!bounded() || farewell_repeated_) return never;
  return *until_ - successor_takes(advertisement_interval);
}

TimePoint Release::deadline(Duration advertisement_interval) const {
  return until_ ? std::min(*until_, farewell_again(advertisement_interval)) : never;
}

TimePoint Release::lease(TimePoint now, TimePoint state_deadline) const {
  const auto end = std::min(until_.value_or(now), state_deadline);
  return std::min(now + release_lease, end == never ? end : end + take_over_allowance);
}

}  // namespace vipd::vrrp
