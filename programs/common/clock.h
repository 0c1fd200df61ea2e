// The clock of the programs: CLOCK_BOOTTIME, which continues while the machine sleeps, so that a suspended
// node notices on waking up that its deadlines have passed (the stall fence of vrrp/virtual_router). All
// programs of one boot share it, so they can exchange time points.
#pragma once

#include "base/time.h"
#include "io/clock.h"
#include "io/loop.h"

namespace vipd::programs {

inline TimePoint now() {
  return TimePoint{io::boottime()};
}

// Converts the time, because Loop waits on the monotonic clock.
inline Result<> wait_until(io::Loop& loop, TimePoint deadline) {
  if (deadline == never) return loop.wait(never);
  return loop.wait(io::now() + (deadline - now()));
}

}  // namespace vipd::programs
