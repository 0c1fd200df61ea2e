// Claims: other stations that say on the link that a virtual address of ours is theirs (RFC 5227
// section 2.4).
//
// Part of an Active: whoever is not has nothing to defend. A claim says nothing at once, because a router
// that takes over announces before its advertisement may have arrived: it is judged three intervals later. If
// then we are still Active, and no other router of the group is heard, there is a conflict: the operator is
// told, and the address announced again, at most once in ten seconds (DEFEND_INTERVAL), so that two stations
// that both defend themselves never make a war of it.
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

  // When the claims that were heard are to be judged; never, if none wait.
  TimePoint deadline() const { return due_; }
  // Those that are due; none before that. peer_speaks: another router of this VRID was heard just before.
  std::set<IpAddress> take(TimePoint now, bool peer_speaks);

  // The last one that nothing explained.
  const std::optional<AddressClaim>& last() const { return last_; }

 private:
  std::optional<AddressClaim> heard_;  // not judged yet
  std::optional<AddressClaim> last_;
  std::set<IpAddress> waiting_;  // addresses that were claimed
  TimePoint due_ = never;
  TimePoint defended_ = TimePoint::min();
};

}  // namespace vipd::vrrp
