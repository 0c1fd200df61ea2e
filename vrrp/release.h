// Release: what a router that has left still owes. Its addresses stay until the successor is heard (make
// before break), and if nobody is heard within the time that one may take, the farewell was lost and is said
// again: without it a Backup would wait three intervals, and this router served on for as long.
#pragma once

#include <optional>

#include "base/time.h"

namespace vipd::vrrp {

class Release {
 public:
  // Serves on until the successor is heard, or until we are Active again ourselves.
  void begin() { until_ = never; }
  // ... but not for ever: the time that a successor may take, twice.
  void bound(TimePoint now, Duration advertisement_interval);
  void end() { until_.reset(); }

  bool going() const { return until_.has_value(); }
  bool bounded() const { return until_ && *until_ != never; }
  bool over(TimePoint now) const { return until_ && *until_ <= now; }

  bool farewell_due(TimePoint now, Duration advertisement_interval) const;
  void farewell_said() { farewell_repeated_ = true; }

  TimePoint deadline(Duration advertisement_interval) const;  // of what comes next; never: nothing does
  // Until when packets for the addresses may come in, should nothing more be heard of us: renewed all the
  // time, not with advertisements. `state_deadline`: when we would take over ourselves.
  TimePoint lease(TimePoint now, TimePoint state_deadline) const;

  // What a successor of this program goes on with.
  std::optional<TimePoint> until() const { return until_; }
  void adopt(std::optional<TimePoint> until) { until_ = until; }

 private:
  TimePoint farewell_again(Duration advertisement_interval) const;

  std::optional<TimePoint> until_;
  bool farewell_repeated_ = false;
};

}  // namespace vipd::vrrp
