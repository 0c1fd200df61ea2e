// Differences: what a peer's advertisements reveal of a configuration that differs from ours (RFC 9568
// sections 5.2.7, 5.2.9 and 7.1). No difference makes a packet invalid: each is counted, and reported once
// until it ends.
#pragma once

#include "vrrp/packet.h"
#include "vrrp/parameters.h"
#include "vrrp/status.h"
#include "vrrp/telling.h"
#include "vrrp/turn.h"

namespace vipd::vrrp {

class Differences {
 public:
  // What the advertisement is compared with.
  struct Ours {
    const VirtualRouterConfig& config;
    Priority priority = 0;  // 0: does not take part, and has no priority
    Duration adopted{};     // the interval by which the silence of the sender is judged
  };
  void look_at(const Turn& turn, const Ours& ours, const IpAddress& source,
               const Advertisement& advertisement, Counters& counters);

 private:
  Telling interval_;
  Telling interval_bounded_;
  Telling address_list_;
  Telling same_priority_;
};

}  // namespace vipd::vrrp
