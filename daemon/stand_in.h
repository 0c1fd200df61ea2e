// StandIn: when the guardian goes on in the router's place, for how long, and who is told. The router has
// ended, or it is late: starved, stopped, or in an endless loop. What is done then is the Holder's business.
#pragma once

#include <optional>
#include <string>

#include "daemon/event_hub.h"
#include "daemon/hold.h"
#include "daemon/holder.h"
#include "daemon/lease_keeper.h"
#include "daemon/log.h"
#include "vrrp/status.h"

namespace vipd::daemon {

class StandIn {
 public:
  // hold: what the router leaves. It outlives this, as the others do.
  StandIn(Log& log, EventHub& events, LeaseKeeper& leases, Hold& hold);

  // All of a vipd before was killed a moment ago: goes on for its router, as if that alone had died. Returns
  // whether there was anything to go on with.
  bool begin_for_the_dead();
  // planned: it was killed to be replaced by another version, of which nobody is told.
  void router_ended(bool was_ready, bool planned);
  void router_ready();  // the one that goes on
  void last_will();     // nobody does

  // While a router is there that could be late (present), it is watched.
  void tick(TimePoint now, bool present);
  TimePoint deadline(bool present) const;

  bool holding() const { return holder_.holding(); }  // advertises for an Active
  bool router_is_late() const { return late_; }
  // What the next router starts from; nothing, if it starts anew.
  std::optional<vrrp::Snapshot> snapshot() const { return holder_.snapshot(); }

 private:
  void watch(TimePoint now);
  void tell_end(const std::string& how);

  Log& log_;
  EventHub& events_;
  Hold& hold_;
  Holder holder_;
  TimePoint since_ = never;  // the router is gone
  bool late_ = false;
  TimePoint last_moved_{};  // when it became late
  bool told_ = false;
};

}  // namespace vipd::daemon
