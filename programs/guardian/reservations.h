// Reservations: ensures that only one vipd per network namespace, whatever its run directory, has each virtual
// router, each of their addresses, and the lease. A claim is an abstract socket name: like interfaces, such
// names belong to the network namespace, and the kernel frees a name when its holder dies. The guardian holds
// the claims, because it outlives the other programs, and hands them over to the program that replaces it.
//
// No process can connect to such a socket. Each name costs a descriptor and two kilobytes of kernel memory;
// there is one per virtual router because two vipd may serve different virtual routers on one interface. A
// name contains the name of the interface, not its number, because vipd serves a virtual router before its
// interface exists.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "io/fd.h"
#include "vrrp/parameters.h"

namespace vipd::programs {

class Reservations {
 public:
  // Keeps the claims it has already. EADDRINUSE: another vipd has one of them; the message names it and the
  // remedy, and nothing has changed. Another error: some could not be claimed, but not because of another
  // vipd.
  Result<> take(const std::vector<vrrp::VirtualRouterConfig>& routers);
  // Releases all other claims.
  void keep_only(const std::vector<vrrp::VirtualRouterConfig>& routers);

  // Whether any vipd of this network namespace, this one included, claims the address. If that cannot be
  // determined, it counts as claimed.
  static bool is_claimed(const IpAddress& address, const std::string& interface);

  // EADDRINUSE: another vipd has it.
  Result<> take_lease();
  void give_lease_back();

  // For the program that replaces this one.
  std::vector<int> descriptors() const;
  void adopt(io::Fd descriptor);

 private:
  std::map<std::string, io::Fd> held_;  // by name
};

}  // namespace vipd::programs
