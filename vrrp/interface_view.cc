#include "vrrp/interface_view.h"

#include <fmt/format.h>

#include <algorithm>

#include "vrrp/virtual_router.h"

namespace vipd::vrrp {

namespace {
bool by_prefix(const InterfaceAddress& a, const InterfaceAddress& b) {
  return a.prefix < b.prefix;
}

// The addresses that differ between two sorted lists, each once.
std::vector<IpAddress> differing(const std::vector<InterfaceAddress>& before,
                                 const std::vector<InterfaceAddress>& after) {
  std::vector<IpAddress> result;
  const auto add = [&](const InterfaceAddress& each) {
    if (result.empty() || result.back() != each.prefix.address) result.push_back(each.prefix.address);
  };
  auto old = before.begin();
  for (const auto& each : after) {
    while (old != before.end() && by_prefix(*old, each)) add(*old++);
    if (old != before.end() && *old == each)
      ++old;
    else
      add(each);
  }
  while (old != before.end()) add(*old++);
  return result;
}
}  // namespace

InterfaceView::Difference InterfaceView::update(Interface snapshot) {
  const auto before = std::exchange(interface_, std::move(snapshot));
  auto sorted = interface_.addresses;
  std::sort(sorted.begin(), sorted.end(), by_prefix);
  Difference difference;
  difference.addresses = differing(sorted_, sorted);
  sorted_ = std::move(sorted);
  const auto primary_before = primary_;
  find_primary_addresses();
  // Without a primary address the obstacle gives the reason, which may have changed too.
  const bool without_primary =
      std::any_of(primary_.begin(), primary_.end(), [](const Primary& each) { return !each.own; });
  difference.usability = before.index != interface_.index || before.up != interface_.up ||
                         before.running != interface_.running || primary_ != primary_before ||
                         (without_primary && !difference.addresses.empty());
  return difference;
}

void InterfaceView::set_routers(std::vector<VirtualRouter*> routers) {
  routers_ = std::move(routers);
  users_.clear();
  for (auto* router : routers_)
    for (const auto& prefix : router->config().addresses) users_.emplace(prefix.address, router);
  find_primary_addresses();
}

std::vector<VirtualRouter*> InterfaceView::users(const IpAddress& address) const {
  std::vector<VirtualRouter*> result;
  const auto [begin, end] = users_.equal_range(address);
  for (auto each = begin; each != end; ++each) result.push_back(each->second);
  return result;
}

bool InterfaceView::held_by_another(const IpAddress& address, const RouterKey& than) const {
  const auto [begin, end] = users_.equal_range(address);
  return std::any_of(begin, end, [&](const auto& each) {
    return each.second->config().key != than && each.second->holds_addresses();
  });
}

const InterfaceAddress* InterfaceView::find(const Prefix& prefix) const {
  const auto found = std::lower_bound(sorted_.begin(), sorted_.end(), InterfaceAddress{prefix}, by_prefix);
  return found != sorted_.end() && found->prefix == prefix ? &*found : nullptr;
}

std::span<const InterfaceAddress> InterfaceView::all_of(const IpAddress& address) const {
  const auto begin =
      std::lower_bound(sorted_.begin(), sorted_.end(), InterfaceAddress{{address, 0}}, by_prefix);
  const auto end =
      std::find_if(begin, sorted_.end(), [&](const auto& each) { return each.prefix.address != address; });
  return {begin, end};
}

void InterfaceView::find_primary_addresses() {
  primary_ = {};
  for (const auto& each : interface_.addresses) {
    const auto& address = each.prefix.address;
    if (each.tentative || each.dad_failed || each.ours) continue;
    if (address.family == Family::ipv6 && !address.is_link_local()) continue;
    auto& primary = primary_[address.family == Family::ipv4 ? 0 : 1];
    auto& place = is_virtual(address) ? primary.virtual_one : primary.own;
    if (!place) place = address;
  }
}

std::optional<IpAddress> InterfaceView::primary_address(Family family, bool owner) const {
  const auto& known = primary(family);
  return known.own || !owner ? known.own : known.virtual_one;
}

std::vector<std::string> InterfaceView::obstacles(Family family, bool owner) const {
  const auto& name = interface_.name;
  if (!interface_.exists()) return {fmt::format("interface {} does not exist", name)};
  if (!interface_.up) return {fmt::format("interface {} is down (ip link set {} up)", name, name)};
  if (!interface_.running) return {fmt::format("interface {} has no carrier", name)};
  if (primary_address(family, owner)) return {};
  if (family == Family::ipv4)
    return {fmt::format("interface {} has no IPv4 address of its own (to send advertisements from)", name)};

  const auto link_local = std::find_if(sorted_.begin(), sorted_.end(), [&](const auto& each) {
    return each.prefix.address.family == Family::ipv6 && each.prefix.address.is_link_local() && !each.ours &&
           !is_virtual(each.prefix.address);
  });
  if (link_local == sorted_.end())
    return {fmt::format("interface {} has no IPv6 link-local address (is IPv6 disabled on it?)", name)};
  if (link_local->dad_failed)
    return {fmt::format("another host uses the link-local address of {} (duplicate address detection failed)",
                        name)};
  return {fmt::format("the link-local address of {} is still tentative", name)};
}

bool InterfaceView::is_own(const IpAddress& address) const {
  if (all_of(address).empty()) return false;
  return !is_virtual(address) || primary_address(address.family, true) == address;
}

}  // namespace vipd::vrrp
