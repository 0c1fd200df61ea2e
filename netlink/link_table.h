// LinkTable: the kernel's links and addresses, out of its messages, and which of them have changed since
// somebody was last told. netlink/link_watch feeds it from sockets; nothing here knows one.
//
// Messages that say nothing new, cannot be or are of another kind leave it as it is.
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

  // Tells each interface that differs from what was last told, as a whole. One that is gone (deleted,
  // renamed, moved to another namespace) is told once, with index 0, before those that have come.
  void tell(const Changed& changed);

  // The links that have come to run since the last call.
  std::set<std::uint32_t> take_started();

  // Index 0 if there is none of that name.
  Interface snapshot(const std::string& name) const;

 private:
  // Where the kernel has an address in its list: IPv4 before IPv6, IPv4's secondary addresses last, otherwise
  // in the order of their coming.
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
  // To try a new start, and to go back to what was there if it fails.
  Links take_links();
  void put_back(Links links) { links_ = std::move(links); }

 private:
  void take_link(const nlmsghdr& message);
  void take_address(const nlmsghdr& message);
  static Interface assemble(const Link& link);

  Links links_;
  std::set<std::uint32_t> changed_;        // since it was last told
  std::set<std::uint32_t> started_;        // links that have come to run since
  bool names_changed_ = false;             // a link came, went or was renamed
  std::map<std::string, Interface> told_;  // by name
  std::uint64_t last_order_ = 0;
};

}  // namespace vipd::netlink
