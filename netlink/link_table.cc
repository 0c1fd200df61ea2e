#include "netlink/link_table.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include "netlink/address.h"
#include "netlink/attribute.h"

namespace vipd::netlink {

namespace {

template <class T>
const T& body_of(const nlmsghdr& message) {
  return *static_cast<const T*>(mnl_nlmsg_get_payload(&message));
}

struct Described {
  InterfaceAddress address;
  bool secondary = false;
};

std::optional<Described> parse_address(const nlmsghdr& message) {
  const auto& body = body_of<ifaddrmsg>(message);
  if (body.ifa_family != AF_INET && body.ifa_family != AF_INET6) return std::nullopt;
  const std::size_t size = body.ifa_family == AF_INET ? 4 : 16;
  Described described;
  std::uint32_t flags = body.ifa_flags;
  std::span<const std::uint8_t> local;  // our address if IFA_ADDRESS is the peer of a point-to-point link
  std::span<const std::uint8_t> address;
  for_each_attribute(message, sizeof(ifaddrmsg),
                     [&](std::uint16_t type, std::span<const std::uint8_t> value) {
                       switch (type) {
                         case IFA_LOCAL: local = value; break;
                         case IFA_ADDRESS: address = value; break;
                         case IFA_FLAGS: read_attribute(value, flags); break;
                         case IFA_PROTO:
                           described.address.ours = value.size() == 1 && value[0] == address_protocol;
                           break;
                         default: break;
                       }
                     });
  if (local.empty()) local = address;
  if (local.size() != size || body.ifa_prefixlen > 8 * size) return std::nullopt;
  described.address.prefix = {IpAddress::from_bytes(local), body.ifa_prefixlen};
  described.address.tentative = (flags & IFA_F_TENTATIVE) && !(flags & IFA_F_OPTIMISTIC);
  described.address.dad_failed = (flags & IFA_F_DADFAILED) != 0;
  // IPv6 uses the same bit for temporary addresses, whose order has no meaning.
  described.secondary = body.ifa_family == AF_INET && (flags & IFA_F_SECONDARY);
  return described;
}

Interface parse_link(const nlmsghdr& message) {
  const auto& body = body_of<ifinfomsg>(message);
  Interface interface;
  interface.index = static_cast<std::uint32_t>(body.ifi_index);
  interface.up = (body.ifi_flags & IFF_UP) != 0;
  interface.running = (body.ifi_flags & IFF_RUNNING) != 0;
  for_each_attribute(message, sizeof(ifinfomsg),
                     [&](std::uint16_t type, std::span<const std::uint8_t> value) {
                       switch (type) {
                         case IFLA_IFNAME: interface.name = text_of(value); break;
                         case IFLA_MTU: read_attribute(value, interface.mtu); break;
                         case IFLA_ADDRESS: read_attribute(value, interface.mac.octets); break;
                         default: break;
                       }
                     });
  return interface;
}

}  // namespace

void LinkTable::take_datagram(std::span<const std::uint8_t> datagram) {
  for_each_message(datagram, [this](const nlmsghdr& message) { take(message); });
}

void LinkTable::take(const nlmsghdr& message) {
  const auto size = mnl_nlmsg_get_payload_len(&message);
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      // A port that leaves its bridge appears as the deletion of a link of family AF_BRIDGE.
      if (size >= sizeof(ifinfomsg) && body_of<ifinfomsg>(message).ifi_family == AF_UNSPEC)
        take_link(message);
      break;
    case RTM_NEWADDR:
    case RTM_DELADDR:
      if (size >= sizeof(ifaddrmsg)) take_address(message);
      break;
    default: break;
  }
}

void LinkTable::take_link(const nlmsghdr& message) {
  auto interface = parse_link(message);
  if (message.nlmsg_type == RTM_DELLINK) {
    names_changed_ |= links_.erase(interface.index) > 0;
    return;
  }
  auto& link = links_[interface.index];
  if (link.interface == interface) return;
  names_changed_ |= link.interface.name != interface.name;
  if (interface.running && !link.interface.running) started_.insert(interface.index);
  changed_.insert(interface.index);
  link.interface = std::move(interface);
}

void LinkTable::take_address(const nlmsghdr& message) {
  const auto index = body_of<ifaddrmsg>(message).ifa_index;
  const auto found = links_.find(index);
  const auto described = parse_address(message);
  if (found == links_.end() || !described) return;
  auto& link = found->second;
  const auto& [address, secondary] = *described;
  const auto position = link.positions.find(address.prefix);
  const bool known = position != link.positions.end();

  if (message.nlmsg_type == RTM_NEWADDR && known && position->second.secondary == secondary) {
    auto& present = link.addresses[position->second];
    if (present == address) return;
    present = address;
  } else {
    if (known) {
      link.addresses.erase(position->second);
      link.positions.erase(position);
    }
    if (message.nlmsg_type == RTM_NEWADDR) {
      const Position last{address.prefix.address.family, secondary, ++last_order_};
      link.addresses.emplace(last, address);
      link.positions.emplace(address.prefix, last);
    } else if (!known) {
      return;
    }
  }
  changed_.insert(index);
}

// --- reading everything again -----------------------------------------------------------------------------

void LinkTable::forget_links() {
  links_.clear();
}

void LinkTable::forget_addresses(Family family) {
  for (auto& [index, link] : links_) {
    std::erase_if(link.addresses, [&](const auto& each) { return each.first.family == family; });
    std::erase_if(link.positions, [&](const auto& each) { return each.second.family == family; });
  }
}

void LinkTable::everything_changed() {
  started_.clear();
  for (const auto& [index, link] : links_) changed_.insert(index);
  names_changed_ = true;
}

LinkTable::Links LinkTable::take_links() {
  return std::exchange(links_, {});
}

std::set<std::uint32_t> LinkTable::take_started() {
  return std::exchange(started_, {});
}

// --- reporting changes ------------------------------------------------------------------------------------

void LinkTable::tell(const Changed& changed) {
  if (std::exchange(names_changed_, false)) {
    std::set<std::string> names;
    for (const auto& [index, link] : links_) names.insert(link.interface.name);
    std::vector<std::string> gone;
    for (const auto& [name, interface] : told_)
      if (!names.contains(name)) gone.push_back(name);
    for (const auto& name : gone) {
      told_.erase(name);
      Interface none;
      none.name = name;
      changed(none);
    }
  }
  for (const auto index : std::exchange(changed_, {})) {
    const auto found = links_.find(index);
    if (found == links_.end()) continue;
    auto interface = assemble(found->second);
    auto& told = told_[interface.name];
    if (told == interface) continue;
    told = interface;
    changed(interface);
  }
}

Interface LinkTable::assemble(const Link& link) {
  Interface interface = link.interface;
  interface.addresses.reserve(link.addresses.size());
  for (const auto& [position, address] : link.addresses) interface.addresses.push_back(address);
  return interface;
}

Interface LinkTable::snapshot(const std::string& name) const {
  for (const auto& [index, link] : links_)
    if (link.interface.name == name) return assemble(link);
  Interface none;
  none.name = name;
  return none;
}

}  // namespace vipd::netlink
