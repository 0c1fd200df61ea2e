// HoldPerformer: what must be done during a hold, as an interface: programs/guardian/stand_in decides, and the
// Holder does it with sockets and netlink. Tests write down what is asked of it.
#pragma once

#include "base/time.h"
#include "programs/common/hold.h"

namespace vipd::programs {

class HoldPerformer {
 public:
  virtual ~HoldPerformer() = default;

  // In each turn of the guardian, before anything else.
  virtual void begin_turn() = 0;
  // Sends the advertisement of the router, and renews the lease of its addresses if it has left.
  virtual void advertise(const HeldRouter& router, TimePoint now) = 0;
  virtual void renew_addresses(const HeldRouter& router) = 0;
  // Sends priority 0.
  virtual void say_farewell(const HeldRouter& router) = 0;
  virtual void remove_addresses(const HeldRouter& router) = 0;
  // The hold is over. A renewal that still waits for the kernel comes before the requests of a successor.
  virtual void end() = 0;
};

}  // namespace vipd::programs
