// What a virtual router needs of its interface: the primary address (RFC 9568 section 1.6), and if there is
// none, or the link cannot be used, why not, in words for the operator.
#pragma once

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/interface.h"
#include "vrrp/parameters.h"

namespace vipd::vrrp {

using VirtualAddresses = std::set<IpAddress>;  // of all virtual routers on one interface

// IPv4: the first address that is not a virtual one (of an address owner: the first). IPv6: the first
// link-local address that may be used already.
std::optional<IpAddress> primary_address(const Interface& interface, const VirtualRouterConfig& config,
                                         const VirtualAddresses& virtual_addresses);

// Empty: Startup may happen.
std::vector<std::string> interface_obstacles(const Interface& interface, const VirtualRouterConfig& config,
                                             const VirtualAddresses& virtual_addresses);

}  // namespace vipd::vrrp
