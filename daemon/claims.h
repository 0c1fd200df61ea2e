// Claims: what only one vipd of a network namespace may have, whatever its run directory: each virtual router
// that it serves, each address of those, and the lease. A claim is a name that a socket is bound to, among
// the abstract names, which belong to the network namespace as interfaces do; the kernel takes it back when
// its holder dies. The guardian has them, because it outlives the others, and hands them to the program that
// takes its place.
//
// Nobody can connect to such a socket. A name costs a descriptor and two kilobytes of the kernel, because two
// vipd with different virtual routers on one interface are no mistake. Names are of interfaces, not of their
// numbers: a virtual router is served before its interface is there.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/fd.h"
#include "vrrp/parameters.h"

namespace vipd::daemon {

class Claims {
 public:
  // What it has already it keeps. EADDRINUSE: another vipd has one of them, the message says which one and
  // what to do, and nothing has changed. Another error: not all could be had, and no other vipd is known to.
  Result<> take(const std::vector<vrrp::VirtualRouterConfig>& routers);
  // Gives the others back.
  void keep_only(const std::vector<vrrp::VirtualRouterConfig>& routers);

  // By any vipd of this network namespace, this one too. Where that cannot be found out it counts as claimed.
  static bool is_claimed(const IpAddress& address, const std::string& interface);

  // EADDRINUSE: another vipd has it.
  Result<> take_lease();
  void give_lease_back();

  // For the program that takes the place of this one.
  std::vector<int> descriptors() const;
  void adopt(io::Fd descriptor);

 private:
  std::map<std::string, io::Fd> held_;  // by name
};

}  // namespace vipd::daemon
