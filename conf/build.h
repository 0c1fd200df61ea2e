// Converts Config for the other two programs: virtual routers for vipd-router, checks for vipd-monitor.
#pragma once

#include <vector>

#include "base/ip.h"
#include "checks/settings/check.h"
#include "conf/config.h"
#include "vrrp/parameters.h"

namespace vipd::conf {

// One virtual router for each entry and family, IPv4 first, in the order of the file. Both families track the
// checks of the entry and of all virtual servers on it.
std::vector<vrrp::VirtualRouterConfig> virtual_routers(const Config& config);

// All checks, those of virtual routers first.
std::vector<checks::CheckConfig> checks(const Config& config);

// fe80::200:5eff:fe00:2xx/64 with the VRID as xx: the modified EUI-64 (RFC 4291 appendix A) of the IPv6
// virtual router's MAC address 00-00-5e-00-02-xx (RFC 9568 section 7.3), so that all nodes derive the same.
Prefix link_local_address(vrrp::Vrid vrid);

}  // namespace vipd::conf
