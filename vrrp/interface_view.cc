#include "vrrp/interface_view.h"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::vrrp {

std::optional<IpAddress> primary_address(const Interface& interface, const VirtualRouterConfig& config,
                                         const VirtualAddresses& virtual_addresses) {
  const IpAddress* of_owner = nullptr;
  for (const auto& each : interface.addresses) {
    const auto& address = each.prefix.address;
    if (address.family != config.key.family || each.tentative || each.dad_failed || each.ours) continue;
    if (address.family == Family::ipv6 && !address.is_link_local()) continue;
    if (!virtual_addresses.contains(address)) return address;
    if (config.owner() && !of_owner) of_owner = &address;
  }
  if (of_owner) return *of_owner;
  return std::nullopt;
}

std::vector<std::string> interface_obstacles(const Interface& interface, const VirtualRouterConfig& config,
                                             const VirtualAddresses& virtual_addresses) {
  const auto& name = config.key.interface;
  if (!interface.exists()) return {fmt::format("interface {} does not exist", name)};
  if (!interface.up) return {fmt::format("interface {} is down (ip link set {} up)", name, name)};
  if (!interface.running) return {fmt::format("interface {} has no carrier", name)};
  if (primary_address(interface, config, virtual_addresses)) return {};
  if (config.key.family == Family::ipv4)
    return {fmt::format("interface {} has no IPv4 address of its own (to send advertisements from)", name)};

  const auto link_local =
      std::find_if(interface.addresses.begin(), interface.addresses.end(), [&](const auto& each) {
        return each.prefix.address.family == Family::ipv6 && each.prefix.address.is_link_local() &&
               !virtual_addresses.contains(each.prefix.address);
      });
  if (link_local == interface.addresses.end())
    return {fmt::format("interface {} has no IPv6 link-local address (is IPv6 disabled on it?)", name)};
  if (link_local->dad_failed)
    return {fmt::format(
        "the link-local address of {} is used by another host (duplicate address detection failed)", name)};
  return {fmt::format("the link-local address of {} is still tentative", name)};
}

}  // namespace vipd::vrrp
