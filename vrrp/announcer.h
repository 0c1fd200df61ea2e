// Announcer: decides when to announce to the link which MAC address answers for the addresses (RFC 9568
// sections 8.1.2 and 8.2.2). The RFC requires one announcement. Here a few rounds follow at growing
// distances, because clients that miss the only one would keep talking to the old Active; then one round
// every so often, for switches that forget. These later rounds also ask whether another station has the
// address, because usually only the asking host hears the answer.
#pragma once

#include <cstddef>

#include "vrrp/parameters.h"
#include "vrrp/turn.h"

namespace vipd::vrrp {

class Announcer {
 public:
  // Announces all addresses now, and starts the rounds anew.
  void start(const Turn& turn, const VirtualRouterConfig& config);
  // The same after a second Active was heard, however often. Rounds keep their distance, except that one per
  // second may follow soon: what the other Active announced may arrive after our answer. More would be heard by
  // clients before our advertisement is by the other Active, which then answers them as well.
  void again(const Turn& turn, const VirtualRouterConfig& config);
  // Continues where a predecessor stopped after `rounds_done` rounds; if those were all, with one more round
  // soon.
  void adopt(TimePoint now, const VirtualRouterConfig& config, int rounds_done);
  // Changes the rounds, from the next one on.
  void reconfigure(TimePoint now, const VirtualRouterConfig& config);
  // The list of addresses has become another one: a round in progress begins anew.
  void restart_round() { next_address_ = 0; }
  void tick(const Turn& turn, const VirtualRouterConfig& config);
  TimePoint deadline() const { return next_; }
  int rounds_done() const { return rounds_done_; }

  // Announces one address, once, outside the rounds.
  static void announce(const Turn& turn, const VirtualRouterConfig& config, const IpAddress& address);

 private:
  static void probe(const Turn& turn, const VirtualRouterConfig& config, const IpAddress& address);
  void schedule(TimePoint now, const VirtualRouterConfig& config);

  int rounds_done_ = 0;
  std::size_t next_address_ = 0;  // the next one of a round in progress; 0: no round is in progress
  TimePoint last_ = TimePoint::min();
  TimePoint echoed_ = TimePoint::min();
  TimePoint next_ = never;
};

}  // namespace vipd::vrrp
