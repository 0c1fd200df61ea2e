// Announcer: when to tell the link which MAC address answers for the addresses (RFC 9568 section 8.1.2 and
// 8.2.2). The RFC wants one announcement; here a few rounds follow at growing distances, because a lost one
// would leave clients talking to the old Active, and then one every so often for switches that forget. Those
// come with the question whether another station has the address too: most answers are heard by who has asked
// only.
#pragma once

#include "vrrp/parameters.h"
#include "vrrp/turn.h"

namespace vipd::vrrp {

class Announcer {
 public:
  // Announces all addresses now, and starts the rounds anew.
  void start(const Turn& turn, const VirtualRouterConfig& config);
  // The same after a second Active was heard, however often: rounds keep their distance, but for one a second
  // that follows soon, because what the other one announced may arrive after our answer.
  void again(const Turn& turn, const VirtualRouterConfig& config);
  // Goes on where a predecessor stopped, after so many rounds; if those were all, with one more, soon.
  void adopt(TimePoint now, const VirtualRouterConfig& config, int rounds_done);
  // Other rounds, from the next one on.
  void reconfigure(TimePoint now, const VirtualRouterConfig& config);
  void tick(const Turn& turn, const VirtualRouterConfig& config);
  TimePoint deadline() const { return next_; }
  int rounds_done() const { return rounds_done_; }

  // One address, once, outside the rounds.
  static void announce(const Turn& turn, const VirtualRouterConfig& config, const IpAddress& address);

 private:
  static void probe(const Turn& turn, const VirtualRouterConfig& config, const IpAddress& address);
  void schedule(TimePoint now, const VirtualRouterConfig& config);

  int rounds_done_ = 0;
  TimePoint last_ = TimePoint::min();
  TimePoint echoed_ = TimePoint::min();
  TimePoint next_ = never;
};

}  // namespace vipd::vrrp
