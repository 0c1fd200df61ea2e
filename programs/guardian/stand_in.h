// StandIn: decides when the guardian holds for the router, and for how long, and reports it. The router has
// ended, or it is late: starved, stopped, or in an endless loop. HeldActives decides what is due; a
// HoldPerformer does it.
//
// The guardian listens to nothing during a hold. So if it is too late itself, because the whole node stalled,
// the addresses are removed and nothing is sent.
#pragma once

#include <optional>
#include <string>

#include "programs/common/hold.h"
#include "programs/common/log.h"
#include "programs/guardian/event_hub.h"
#include "programs/guardian/held_actives.h"
#include "programs/guardian/hold_performer.h"
#include "vrrp/status.h"

namespace vipd::programs {

class StandIn {
 public:
  // hold: the state of the router. It outlives this object, as the other arguments do.
  StandIn(Log& log, EventHub& events, Hold& hold, HoldPerformer& performer)
      : log_(log), events_(events), hold_(hold), performer_(performer) {}

  // All programs of the previous vipd were killed a moment ago: holds for its router, as if only that had
  // died. Returns whether there was a state to hold.
  bool begin_for_the_dead(TimePoint now);
  // planned: it was killed to be replaced by another version, which is not reported.
  void router_ended(TimePoint now, bool was_ready, bool planned);
  void router_ready();  // the successor
  void last_will();     // there is no successor

  // present: there is a router, which is then watched for being late.
  void tick(TimePoint now, bool present);
  TimePoint deadline(bool present) const;

  bool holding() const { return !held_.empty(); }  // advertises for an Active
  bool router_is_late() const { return late_; }
  // The state that the next router starts from; nothing if there is none.
  std::optional<vrrp::Snapshot> snapshot() const { return held_.snapshot(); }

 private:
  void begin(HoldState state, TimePoint now);
  void end();
  void watch(TimePoint now);
  void withdraw_lapsed(TimePoint now);
  void tell_end(const std::string& how);

  Log& log_;
  EventHub& events_;
  Hold& hold_;
  HoldPerformer& performer_;
  HeldActives held_;
  TimePoint since_ = never;  // when the router ended
  bool late_ = false;
  TimePoint last_moved_{};  // when it became late
  bool told_ = false;
};

}  // namespace vipd::programs
