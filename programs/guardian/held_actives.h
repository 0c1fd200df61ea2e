// HeldActives: the Actives that the guardian holds for: when the next advertisement and the next renewal of
// each is due, and when it is too late to hold. It decides and sends nothing: programs/guardian/holder
// performs what it hands out, and the simulation does the same.
#pragma once

#include <functional>
#include <optional>
#include <vector>

#include "base/time.h"
#include "programs/common/hold.h"

namespace vipd::programs {

// How long the guardian holds for a router that does not come back.
constexpr Duration longest_hold = std::chrono::seconds(10);

class HeldActives {
 public:
  // Holds for the Actives in `state`, from the deadlines that their router has reached.
  void begin(HoldState state, TimePoint now);
  bool empty() const { return held_.empty(); }

  // The stall fence, as in vrrp/virtual_router: three intervals after the last advertisement a peer may have
  // taken over, and a node that stalled must listen before it sends anything. A guardian cannot listen. So
  // these Actives are held no longer: their addresses must go, and nothing may be sent for them.
  struct Lapsed {
    HeldRouter router;
    Duration silent_for{};
  };
  std::vector<Lapsed> take_lapsed(TimePoint now);

  // What is due for one Active. It is taken as done: the next one is due an interval later.
  struct Due {
    const HeldRouter& router;
    bool advertisement = false;
    bool renewal = false;
  };
  void for_each_due(TimePoint now, const std::function<void(const Due&)>& perform);
  TimePoint deadline() const;  // of the next one

  // When the next advertisement of each is due.
  void for_each(const std::function<void(const HeldRouter&, TimePoint advertisement)>& visit) const;
  // The state that a successor starts from: what the router left, with the deadlines reached here.
  std::optional<vrrp::Snapshot> snapshot() const;

  void end();

 private:
  struct Held {
    HeldRouter router;
    TimePoint advertisement;  // when the next one is due
    TimePoint renewal;        // never: the addresses have no lifetime
  };

  std::vector<Held> held_;
  std::optional<vrrp::Snapshot> snapshot_;
};

}  // namespace vipd::programs
