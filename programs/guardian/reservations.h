// Reservations: what only one vipd of a network namespace may have, whatever its run directory: each virtual router
// that it serves, each address of those, and the lease. A claim is a name that a socket is bound to, among
// the abstract names, which belong to the network namespace as interfaces do; the kernel takes it back when
// its holder dies. The guardian has them, because it outlives the other programs, and hands them over to the
// program that replaces it.
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
  // Keeps those it has already. EADDRINUSE: another vipd has one of them; the message names it and the
  // remedy, and nothing has changed. Another error: some could not be claimed, but not because of another
  // vipd.
  Result<> take(const std::vector<vrrp::VirtualRouterConfig>& routers);
  // Releases the others.
  void keep_only(const std::vector<vrrp::VirtualRouterConfig>& routers);

  // By any vipd of this network namespace, this one too. Where that cannot be found out it counts as claimed.
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
