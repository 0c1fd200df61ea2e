// StandIn: decides when the guardian holds for the router, and for how long, and reports it. The router has
// ended, or it is late: starved, stopped, or in an endless loop. The Holder performs the hold.
#pragma once

#include <optional>
#include <string>

#include "programs/common/hold.h"
#include "programs/common/log.h"
#include "programs/guardian/event_hub.h"
#include "programs/guardian/holder.h"
#include "programs/guardian/lease_keeper.h"
#include "vrrp/status.h"

namespace vipd::programs {

class StandIn {
 public:
  // hold: the state of the router. It outlives this object, as the other arguments do.
  StandIn(Log& log, EventHub& events, LeaseKeeper& leases, Hold& hold);

  // All programs of the previous vipd were killed a moment ago: holds for its router, as if only that had
  // died. Returns whether there was a state to hold.
  bool begin_for_the_dead();
  // planned: it was killed to be replaced by another version, which is not reported.
  void router_ended(bool was_ready, bool planned);
  void router_ready();  // the successor
  void last_will();     // there is no successor

  // present: there is a router, which is then watched for being late.
  void tick(TimePoint now, bool present);
  TimePoint deadline(bool present) const;

  bool holding() const { return holder_.holding(); }  // advertises for an Active
  bool router_is_late() const { return late_; }
  // The state that the next router starts from; nothing if there is none.
  std::optional<vrrp::Snapshot> snapshot() const { return holder_.snapshot(); }

 private:
  void watch(TimePoint now);
  void tell_end(const std::string& how);

  Log& log_;
  EventHub& events_;
  Hold& hold_;
  Holder holder_;
  TimePoint since_ = never;  // when the router ended
  bool late_ = false;
  TimePoint last_moved_{};  // when it became late
  bool told_ = false;
};

}  // namespace vipd::programs
