// Claims: other stations that claim a virtual address of ours on the link (RFC 5227 section 2.4).
//
// Part of an Active, because a router that is not Active has nothing to defend. A claim is judged three
// intervals after it was heard and not at once: a router that takes over announces the addresses before its
// advertisement may have arrived. If we are then still Active and no other router of the group is heard,
// there is a conflict: it is reported to the operator, and the address is announced again, at most once in
// ten seconds (DEFEND_INTERVAL), so that two stations that both defend the address do not escalate.
#pragma once

#include <set>

#include "vrrp/parameters.h"
#include "vrrp/status.h"
#include "vrrp/turn.h"

namespace vipd::vrrp {

class Claims {
 public:
  // How long a claim waits for an advertisement that explains it.
  static Duration grace(const VirtualRouterConfig& config);

  void heard(TimePoint now, const VirtualRouterConfig& config, const IpAddress& address,
             const MacAddress& mac, std::uint32_t times);

  // When the claims heard so far are to be judged; never, if there are none.
  TimePoint deadline() const { return due_; }
  // The claimed addresses that are due for judgement; none before that. peer_speaks: another router of this
  // VRID was heard just before.
  std::set<IpAddress> take(TimePoint now, bool peer_speaks);

  // The last claim that had no explanation.
  const std::optional<AddressClaim>& last() const { return last_; }

 private:
  std::optional<AddressClaim> heard_;  // not judged yet
  std::optional<AddressClaim> last_;
  std::set<IpAddress> waiting_;  // addresses that were claimed
  TimePoint due_ = never;
  TimePoint defended_ = TimePoint::min();
};

}  // namespace vipd::vrrp
