// What guardian and router tell each other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "io/fd.h"
#include "programs/common/messages.h"
#include "vrrp/engine.h"

namespace vipd::programs {

// --- to the router ------------------------------------------------------------------------------------

// The whole configuration; at the start also the state that the predecessor left.
struct Configure {
  static constexpr auto type = MessageType::configure;
  std::vector<vrrp::VirtualRouterConfig> routers;
  std::optional<vrrp::Snapshot> adopted;
};
template <class A>
constexpr void fields(A& a, Is<Configure> auto& m) {
  a("routers", m.routers)("adopted", m.adopted);
}

// Hand over in order, then send Stopped and end.
struct Stop {
  static constexpr auto type = MessageType::stop;
};
template <class A>
constexpr void fields(A&, Is<Stop> auto&) {}

// The channel to the monitor.
struct MonitorLink {
  static constexpr auto type = MessageType::monitor_link;
  io::Fd descriptor;
};
template <class A>
constexpr void fields(A&, Is<MonitorLink> auto&) {}

// The slot in which each virtual router renews its lease (netlink/lease_slots.h).
struct Leases {
  static constexpr auto type = MessageType::leases;
  std::map<vrrp::RouterKey, std::uint32_t> slots;
  std::map<vrrp::RouterKey, std::string> why_not;  // the reason, for those without
  io::Fd descriptor;                               // of the slots, if there are any
};
template <class A>
constexpr void fields(A& a, Is<Leases> auto& m) {
  a("slots", m.slots)("why_not", m.why_not);
}

using GuardianToRouter = std::variant<Configure, Stop, MonitorLink, Leases>;

// --- to the guardian ----------------------------------------------------------------------------------

// The configuration is in force; the guardian may end its hold.
struct Ready {
  static constexpr auto type = MessageType::ready;
};
template <class A>
constexpr void fields(A&, Is<Ready> auto&) {}

struct Stopped {
  static constexpr auto type = MessageType::stopped;
};
template <class A>
constexpr void fields(A&, Is<Stopped> auto&) {}

// Which virtual addresses need a lease on which interface, including those of a virtual
// router that is still handing over. The complete list each time.
struct WantedLeases {
  static constexpr auto type = MessageType::wanted_leases;
  struct Place {
    std::uint32_t interface_index = 0;  // 0: does not exist at present
    std::vector<Prefix> addresses;
  };
  std::map<vrrp::RouterKey, Place> routers;
};
template <class A>
constexpr void fields(A& a, Is<WantedLeases::Place> auto& m) {
  a("interface_index", m.interface_index)("addresses", m.addresses);
}
template <class A>
constexpr void fields(A& a, Is<WantedLeases> auto& m) {
  a("routers", m.routers);
}

using RouterToGuardian = std::variant<Ready, Stopped, WantedLeases, Happened>;

}  // namespace vipd::programs
