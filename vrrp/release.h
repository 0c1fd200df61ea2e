// Release: what a router that has left still has to do. It keeps its addresses until it hears the successor
// (make before break). If it hears none within the time a successor may take, its farewell was lost and is
// repeated; otherwise a Backup would wait three intervals, and this router would keep serving for as long.
#pragma once

#include <optional>

#include "base/time.h"

namespace vipd::vrrp {

class Release {
 public:
  // Keeps serving until the successor is heard, or until we are Active again ourselves.
  void begin() { until_ = never; }
  // ... but not for ever: twice the time that a successor may take.
  void bound(TimePoint now, Duration advertisement_interval);
  void end() { until_.reset(); }

  bool going() const { return until_.has_value(); }
  bool bounded() const { return until_ && *until_ != never; }
  bool over(TimePoint now) const { return until_ && *until_ <= now; }

  bool farewell_due(TimePoint now, Duration advertisement_interval) const;
  void farewell_said() { farewell_repeated_ = true; }

  TimePoint deadline(Duration advertisement_interval) const;  // of the next step; never: there is none
  // Until when the kernel lets packets for the addresses in, should the router fall silent. Renewed
  // continuously and not with advertisements. `state_deadline`: when we would take over ourselves.
  TimePoint lease(TimePoint now, TimePoint state_deadline) const;

  // From this a successor of this program continues.
  std::optional<TimePoint> until() const { return until_; }
  void adopt(std::optional<TimePoint> until) { until_ = until; }

 private:
  TimePoint farewell_again(Duration advertisement_interval) const;

  std::optional<TimePoint> until_;
  bool farewell_repeated_ = false;
};

}  // namespace vipd::vrrp
