// LinkTable: the kernel's links and addresses, built from its messages, and which of them have changed since
// the last report. netlink/link_watch reads the messages from sockets; nothing here knows a socket.
//
// Messages that contain nothing new, are invalid or are of another kind do not change it.
#pragma once

#include <linux/netlink.h>

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <span>
#include <string>

#include "base/interface.h"

namespace vipd::netlink {

class LinkTable {
 public:
  using Changed = std::function<void(const Interface&)>;

  void take(const nlmsghdr& message);
  void take_datagram(std::span<const std::uint8_t> datagram);  // aligned as an int

  // Everything is about to be read again.
  void forget_links();
  void forget_addresses(Family family);
  void everything_changed();

  // Reports each interface that differs from the last report, as a whole. An interface that is gone (deleted,
  // renamed, moved to another namespace) is reported once, with index 0, before the new ones.
  void tell(const Changed& changed);

  // The links that have started running since the last call.
  std::set<std::uint32_t> take_started();

  // Index 0 if no interface has that name.
  Interface snapshot(const std::string& name) const;

 private:
  // The position of an address in the kernel's list: IPv4 before IPv6, IPv4's secondary addresses last,
  // otherwise in the order in which they were added.
  struct Position {
    Family family = Family::ipv4;
    bool secondary = false;
    std::uint64_t order = 0;
    auto operator<=>(const Position&) const = default;
  };
  struct Link {
    Interface interface;  // without its addresses
    std::map<Position, InterfaceAddress> addresses;
    std::map<Prefix, Position> positions;
  };
  using Links = std::map<std::uint32_t, Link>;  // by index

 public:
  // For trying to read everything again, and going back to the previous links if that fails.
  Links take_links();
  void put_back(Links links) { links_ = std::move(links); }

 private:
  void take_link(const nlmsghdr& message);
  void take_address(const nlmsghdr& message);
  static Interface assemble(const Link& link);

  Links links_;
  std::set<std::uint32_t> changed_;        // since the last report
  std::set<std::uint32_t> started_;        // links that have started running since
  bool names_changed_ = false;             // a link came, went or was renamed
  std::map<std::string, Interface> told_;  // by name
  std::uint64_t last_order_ = 0;
};

}  // namespace vipd::netlink
