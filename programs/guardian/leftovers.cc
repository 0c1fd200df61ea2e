#include "programs/guardian/leftovers.h"

#include <algorithm>
#include <utility>

#include "netlink/address.h"
#include "netlink/link_watch.h"
#include "programs/guardian/reservations.h"

namespace vipd::programs {

namespace {
bool is_served(const std::vector<vrrp::VirtualRouterConfig>& routers, const std::string& interface,
               const Prefix& prefix) {
  return std::any_of(routers.begin(), routers.end(), [&](const vrrp::VirtualRouterConfig& router) {
    return router.place(prefix) == interface &&
           std::find(router.addresses.begin(), router.addresses.end(), prefix) != router.addresses.end();
  });
}
}  // namespace

Result<std::vector<Leftover>> remove_leftovers(const std::vector<vrrp::VirtualRouterConfig>& routers) {
  std::vector<Leftover> leftovers;
  std::vector<netlink::AddressChange> changes;
  auto kernel = TRY(netlink::LinkWatch::open());
  TRY_VOID(kernel.refresh([&](const Interface& interface) {
    for (const auto& each : interface.addresses) {
      if (!each.ours || is_served(routers, interface.name, each.prefix) ||
          Reservations::is_claimed(each.prefix.address, interface.name))
        continue;
      leftovers.push_back({interface.name, each.prefix, {}});
      changes.push_back({.add = false, .interface_index = interface.index, .prefix = each.prefix});
    }
  }));
  if (changes.empty()) return leftovers;
  auto socket = TRY(netlink::Socket::open(0 /* NETLINK_ROUTE */));
  auto done = netlink::apply(socket, changes);
  for (std::size_t i = 0; i < leftovers.size(); ++i) leftovers[i].removed = std::move(done[i]);
  return leftovers;
}

}  // namespace vipd::programs
