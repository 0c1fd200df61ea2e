// Interface: the state of a network interface in the kernel at one moment. netlink/link_watch produces them and
// vrrp::Engine takes them as facts; the same fact may arrive more than once.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/archive.h"
#include "base/ip.h"

namespace vipd {

struct InterfaceAddress {
  Prefix prefix;
  bool tentative = false;   // IPv6 duplicate address detection is running: the address is not usable yet
  bool dad_failed = false;  // IPv6 duplicate address detection found the address on another host
  bool ours = false;        // marked as added by vipd (IFA_PROTO, kernels from 5.18)

  bool operator==(const InterfaceAddress&) const = default;
};

struct Interface {
  std::string name;
  std::uint32_t index = 0;  // 0: the interface does not exist
  bool up = false;          // administratively up
  bool running = false;     // carrier and protocols are up (IFF_RUNNING)
  std::uint32_t mtu = 0;
  MacAddress mac;
  std::vector<InterfaceAddress> addresses;  // in the kernel's order

  bool operator==(const Interface&) const = default;
  bool exists() const { return index != 0; }
};

template <class A>
constexpr void fields(A& a, Is<InterfaceAddress> auto& i) {
  a("prefix", i.prefix)("tentative", i.tentative)("dad_failed", i.dad_failed)("ours", i.ours);
}
template <class A>
constexpr void fields(A& a, Is<Interface> auto& i) {
  a("name", i.name)("index", i.index)("up", i.up)("running", i.running)("mtu", i.mtu)("mac", i.mac)(
      "addresses", i.addresses);
}

}  // namespace vipd
