#include "netlink/monitor.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <algorithm>
#include <cstring>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "netlink/address.h"
#include "netlink/attribute.h"

namespace vipd::netlink {

namespace {

constexpr int most_events_per_call = 1024;
constexpr int most_discarded = 100'000;
constexpr Duration longest_dump = std::chrono::seconds(2);
constexpr TimePoint at_once{};  // a deadline in the past: only look

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
  std::span<const std::uint8_t> local;  // ours, where IFA_ADDRESS is the other end of a point-to-point link
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
  if (local.size() != size) return std::nullopt;
  described.address.prefix = {IpAddress::from_bytes(local), body.ifa_prefixlen};
  described.address.tentative = (flags & IFA_F_TENTATIVE) && !(flags & IFA_F_OPTIMISTIC);
  described.address.dad_failed = (flags & IFA_F_DADFAILED) != 0;
  // IPv6 uses the same bit for temporary addresses, whose place means nothing.
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

Request dump_links() {
  Request request(RTM_GETLINK, 0);
  request.doing = "reading the network interfaces";
  request.body(ifinfomsg{});
  request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return request;
}

// index: of one interface only; 0 for all.
Request dump_addresses(Family family, std::uint32_t index = 0) {
  Request request(RTM_GETADDR, 0);
  request.doing = "reading the addresses";
  ifaddrmsg body{};
  body.ifa_family = family == Family::ipv4 ? AF_INET : AF_INET6;
  body.ifa_index = index;
  request.body(body);
  return request;
}

}  // namespace

Result<Monitor> Monitor::open(std::size_t receive_buffer) {
  auto events = TRY(Socket::open(NETLINK_ROUTE, receive_buffer));
  for (const unsigned group : {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR})
    TRY_VOID(events.join(group));
  return Monitor(std::move(events), TRY(Socket::open(NETLINK_ROUTE)));
}

// --- reading everything -----------------------------------------------------------------------------------

// What is queued is older than what will be read now. What comes while we read is applied afterwards: the
// last event of each object tells how it is.
void Monitor::discard_events() {
  for (int i = 0; i < most_discarded; ++i)
    if (const auto datagram = events_.receive(at_once); !datagram && datagram.error().code == ETIMEDOUT)
      return;
}

Result<> Monitor::read_links() {
  auto request = dump_links();
  return requests_.dump(
      request, [this] { links_.clear(); }, [this](const nlmsghdr& each) { take(each); }, longest_dump);
}

Result<> Monitor::read_addresses(Family family) {
  auto request = dump_addresses(family);
  const auto forget = [this, family] {
    for (auto& [index, link] : links_) {
      std::erase_if(link.addresses, [&](const auto& each) { return each.first.family == family; });
      std::erase_if(link.positions, [&](const auto& each) { return each.second.family == family; });
    }
  };
  return requests_.dump(request, forget, [this](const nlmsghdr& each) { take(each); }, longest_dump);
}

Result<> Monitor::read_all() {
  TRY_VOID(read_links());
  TRY_VOID(read_addresses(Family::ipv4));
  return read_addresses(Family::ipv6);
}

Result<> Monitor::refresh(const Changed& changed) {
  stale_ = true;
  discard_events();
  auto before = std::exchange(links_, {});
  if (auto result = read_all(); !result) {
    links_ = std::move(before);
    return result;
  }
  stale_ = false;
  started_.clear();
  for (const auto& [index, link] : links_) changed_.insert(index);
  names_changed_ = true;
  tell(changed);
  return {};
}

// --- events -----------------------------------------------------------------------------------------------

Result<> Monitor::receive(const Changed& changed) {
  for (int count = 0; count < most_events_per_call && !stale_; ++count) {
    const auto datagram = events_.receive(at_once);
    if (datagram) {
      auto left = static_cast<int>(datagram->size());
      for (const auto* message = reinterpret_cast<const nlmsghdr*>(datagram->data());
           mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
        take(*message);
      continue;
    }
    if (datagram.error().code == ETIMEDOUT) break;
    if (datagram.error().code != ENOBUFS && datagram.error().code != EMSGSIZE)
      return tl::unexpected(datagram.error());
    ++overruns_;
    stale_ = true;
  }
  if (stale_) return refresh(changed);
  look_for_tentative();
  tell(changed);
  return {};
}

// The link-local address that the kernel makes when a link comes to run is told by an event only when
// duplicate address detection is through with it. Why there is none yet can be seen by looking.
void Monitor::look_for_tentative() {
  for (const auto index : std::exchange(started_, {})) {
    auto request = dump_addresses(Family::ipv6, index);
    // A failure is no loss: the link has gone, or the address is told in a second.
    static_cast<void>(
        requests_.dump(request, [] {}, [this](const nlmsghdr& each) { take(each); }, longest_dump));
  }
}

void Monitor::take(const nlmsghdr& message) {
  const auto size = mnl_nlmsg_get_payload_len(&message);
  switch (message.nlmsg_type) {
    case RTM_NEWLINK:
    case RTM_DELLINK:
      // A bridge port that leaves its bridge is told as the deletion of a link of family AF_BRIDGE.
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

void Monitor::take_link(const nlmsghdr& message) {
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

void Monitor::take_address(const nlmsghdr& message) {
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

// --- telling ----------------------------------------------------------------------------------------------

void Monitor::tell(const Changed& changed) {
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

Interface Monitor::assemble(const Link& link) {
  Interface interface = link.interface;
  interface.addresses.reserve(link.addresses.size());
  for (const auto& [position, address] : link.addresses) interface.addresses.push_back(address);
  return interface;
}

Interface Monitor::snapshot(const std::string& name) const {
  for (const auto& [index, link] : links_)
    if (link.interface.name == name) return assemble(link);
  Interface none;
  none.name = name;
  return none;
}

}  // namespace vipd::netlink
