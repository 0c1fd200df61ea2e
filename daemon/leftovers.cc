#include "daemon/leftovers.h"

#include <algorithm>

#include "netlink/address.h"
#include "netlink/monitor.h"

namespace vipd::daemon {

namespace {
bool is_served(const std::vector<vrrp::VirtualRouterConfig>& routers, const std::string& interface,
               const Prefix& prefix) {
  return std::any_of(routers.begin(), routers.end(), [&](const vrrp::VirtualRouterConfig& router) {
    return router.key.interface == interface &&
           std::find(router.addresses.begin(), router.addresses.end(), prefix) != router.addresses.end();
  });
}
}  // namespace

Result<std::vector<Leftover>> remove_leftovers(const std::vector<vrrp::VirtualRouterConfig>& routers) {
  std::vector<Leftover> leftovers;
  std::vector<netlink::AddressChange> changes;
  auto kernel = TRY(netlink::Monitor::open());
  TRY_VOID(kernel.refresh([&](const Interface& interface) {
    for (const auto& each : interface.addresses) {
      if (!each.ours || is_served(routers, interface.name, each.prefix) ||
          Claims::is_claimed(each.prefix.address, interface.name))
        continue;
      leftovers.push_back({interface.name, each.prefix});
      changes.push_back({.add = false, .interface_index = interface.index, .prefix = each.prefix});
    }
  }));
  if (changes.empty()) return leftovers;
  auto socket = TRY(netlink::Socket::open(0 /* NETLINK_ROUTE */));
  for (const auto& done : netlink::apply(socket, changes)) TRY_VOID(done);
  return leftovers;
}

}  // namespace vipd::daemon
