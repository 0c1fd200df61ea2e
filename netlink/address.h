// Adds addresses to interfaces and removes them. This code knows how, not when: vrrp/ decides, and
// programs/router/kernel_resources asks.
//
// An added address is marked as vipd's and is not subject to duplicate address detection. With a finite
// `valid` the kernel removes it by itself unless it is renewed. Adding an address that is already there
// renews it.
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
  // The kernel adds and removes no route to the prefix's network together with this address. Must be set, in
  // renewals too, if the interface has an address of its own in that network (see is_connected): on many
  // kernels an IPv6 address with a finite lifetime sets the expiry of that route, even if others need it. For
  // an IPv4 address only the value at its first addition counts.
  bool no_prefix_route = false;
  std::string label;  // IPv4: "eth0:vip", at most 15 characters; empty: the interface's name
};

// One result per change, in order; a failed change does not affect the others. Removing an absent address
// succeeds. Write netlink::apply: unqualified, the compiler also considers std::apply.
//
// With a budget it stops when that time is over; the result is then shorter than the changes by those still
// to be made (see netlink/batch).
std::vector<Result<>> apply(Socket& socket, std::span<const AddressChange> changes,
                            Duration budget = no_budget);

// Whether the network of `prefix` is connected to the interface by an address other than these of ours. Then
// the route is not ours, and AddressChange::no_prefix_route must be set.
bool is_connected(const Interface& interface, const Prefix& prefix, std::span<const Prefix> ours);

}  // namespace vipd::netlink
