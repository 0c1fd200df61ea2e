// Leftovers: virtual addresses that an earlier vipd has added and that no vipd manages now. That vipd was
// killed, its addresses have an infinite lifetime (dead_man: off), and its successor has another
// configuration.
#pragma once

#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "vrrp/parameters.h"

namespace vipd::programs {

struct Leftover {
  std::string interface;
  Prefix prefix;
  Result<> removed;  // or why the kernel refused
};

// Removes the addresses that have vipd's mark (netlink::address_protocol), do not belong to these virtual
// routers and are claimed by no other vipd of this network namespace. Error: the kernel could not be asked.
Result<std::vector<Leftover>> remove_leftovers(const std::vector<vrrp::VirtualRouterConfig>& routers);

}  // namespace vipd::programs
