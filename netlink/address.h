// Addresses onto interfaces and off them. Says how, not when: vrrp/ decides, and programs/router/effects asks.
//
// An added address is marked as ours, is not subject to duplicate address detection, and with a finite
// `valid` the kernel takes it away by itself when nobody renews it. Adding an address that is there renews
// it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "base/interface.h"
#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"
#include "netlink/batch.h"
#include "netlink/socket.h"

namespace vipd::netlink {

// IFA_PROTO of our addresses, shown by `ip addr` as "proto 112" (the IP protocol number of VRRP). Kernels
// before 5.18 do not keep it: there InterfaceAddress::ours is always false.
constexpr std::uint8_t address_protocol = 112;

struct AddressChange {
  bool add = true;
  std::uint32_t interface_index = 0;
  Prefix prefix;
  Duration valid{0};  // until the kernel removes it, rounded up to whole seconds; zero: for ever
  // No route to the prefix's network comes and goes with this address. Must be set, in renewals too, when the
  // interface has an address of its own in that network (see is_connected): on many kernels an IPv6 address
  // with a finite lifetime sets the expiry of that route, whoever else needs it. Of an IPv4 address only what
  // is set when it is first added counts.
  bool no_prefix_route = false;
  std::string label;  // IPv4: "eth0:vip", at most 15 characters; empty: the interface's name
};

// One result per change, in order; a bad one does not harm the others. Removing what is not there succeeds.
// Write netlink::apply: unqualified, the compiler also thinks of std::apply.
//
// With a budget it stops when that time is over and the result is shorter than the changes, by those that are
// still to do (see netlink/batch).
std::vector<Result<>> apply(Socket& socket, std::span<const AddressChange> changes,
                            Duration budget = no_budget);

// Is the network of `prefix` connected to the interface by an address other than these of ours? Then the
// route is someone else's and AddressChange::no_prefix_route is in order.
bool is_connected(const Interface& interface, const Prefix& prefix, std::span<const Prefix> ours);

}  // namespace vipd::netlink
