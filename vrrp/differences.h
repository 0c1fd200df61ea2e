// Differences: what a peer's advertisements show of a configuration that is unlike ours (RFC 9568 sections
// 5.2.7, 5.2.9 and 7.1). None of them makes a packet invalid: they are counted, and told once until they end.
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
    Priority priority = 0;  // 0: takes no part, and has none
    Duration adopted{};     // the interval by which the silence of its sender is judged
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
