// FloodGuard: decides when a socket that receives advertisements needs a shield, and for how long.
//
// All legitimate traffic fits into an allowance that grows with time: each virtual router has one Active, or
// several for an instant, and one sends at most 100 advertisements a second. More than that is a flood: the
// queue of the socket overflows, and important advertisements are lost with the rest. The guard only counts;
// programs/router/advert_ports sets the shield, and io/advert_filter defines it.
#pragma once

#include <cstddef>

#include "base/time.h"

namespace vipd::programs {

class FloodGuard {
 public:
  // Counts datagrams that have arrived for so many virtual routers. Returns whether a flood has begun, or has
  // continued after its shield was removed: then the socket needs its shield.
  bool arrived(TimePoint now, std::size_t datagrams, std::size_t virtual_routers);

  bool shielded() const { return shielded_until_ != never; }
  // The shield was set, renewed or removed, as shielded() says. It needs a renewal soon: the Active may
  // change.
  void shield_is_set(TimePoint now);

  // Whether the shield must be renewed, or removed because its time is over: shielded() says which.
  bool due(TimePoint now);
  TimePoint deadline() const;  // of the next due()

 private:
  double allowance_ = 0;  // datagrams that are acceptable at the moment, up to a limit
  TimePoint allowance_at_{};
  TimePoint shielded_until_ = never;
  TimePoint unshielded_at_ = TimePoint::min();
  Duration shield_time_{};
  TimePoint renewal_ = never;
};

}  // namespace vipd::programs
