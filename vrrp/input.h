// Engine inputs: the facts that enter Engine::step, one at a time. The list is closed: the recorder writes
// these inputs; a replay, a scenario and the simulation feed them. All are snapshots or commands; repeating a
// snapshot is harmless.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/interface.h"
#include "base/ip.h"
#include "vrrp/parameters.h"
#include "vrrp/priority.h"
#include "vrrp/status.h"

namespace vipd::vrrp {

// A VRRP message from the network, not yet checked.
struct DatagramReceived {
  std::string interface;
  IpAddress source;
  IpAddress destination;
  int hop_limit = 0;
  std::vector<std::uint8_t> payload;  // from the VRRP header on
  bool truncated = false;
};

// The current state of an interface. Index 0: no interface has that name.
struct InterfaceChanged {
  Interface interface;
};

struct HealthChanged {
  CheckFact fact;
};

// The whole configuration; start-up is a reload from an empty one. `adopted` is the state of a predecessor
// that stopped without notice (a crash, an upgrade); its virtual routers continue where they were.
struct ConfigReplaced {
  std::vector<VirtualRouterConfig> routers;
  std::optional<Snapshot> adopted;
};

// An address could not be added or removed. The engine retries later and shows the failure.
struct AddressFailed {
  RouterKey router;
  Prefix prefix;
  std::string error;
};

// Answers IdentifySender: which link-layer address the advertisements of a sender come from.
struct SenderIdentified {
  std::string interface;
  IpAddress sender;
  MacAddress mac;
};

// Another host claims this address: by ARP, or by a Neighbor Advertisement.
struct AddressClaimed {
  std::string interface;
  IpAddress address;
  MacAddress mac;           // all zeros: unknown
  std::uint32_t times = 1;  // since the last such input
};

// `vipctl switch`: hands the virtual routers of this entry over to the peer; they stay Backup until
// SwitchBackRequested or until the peer fails.
struct SwitchRequested {
  std::string name;
};

// `vipctl switch --back`: the entry takes part by priority again.
struct SwitchBackRequested {
  std::string name;
};

// Orderly stop: make-before-break. Engine::finished() is true once the last address has been handed over.
struct Shutdown {};

// While this router did not run, the guardian advertised in its place. `due`: when each of these Actives must
// send its next advertisement. Their peers have noticed nothing.
struct AdvertisementsHeld {
  std::vector<std::pair<RouterKey, TimePoint>> due;
};

// Only time has passed. No other input fires deadlines: a program that wakes up late reads its sockets first,
// so that a stalled Backup does not take over from an Active whose advertisements are waiting.
struct Tick {};

using Input = std::variant<DatagramReceived, InterfaceChanged, HealthChanged, ConfigReplaced, AddressFailed,
                           SenderIdentified, AddressClaimed, SwitchRequested, SwitchBackRequested, Shutdown,
                           AdvertisementsHeld, Tick>;

template <class A>
constexpr void fields(A& a, Is<DatagramReceived> auto& e) {
  a("interface", e.interface)("source", e.source)("destination", e.destination)("hop_limit", e.hop_limit)(
      "payload", e.payload)("truncated", e.truncated);
}
template <class A>
constexpr void fields(A& a, Is<InterfaceChanged> auto& e) {
  a("interface", e.interface);
}
template <class A>
constexpr void fields(A& a, Is<HealthChanged> auto& e) {
  a("fact", e.fact);
}
template <class A>
constexpr void fields(A& a, Is<ConfigReplaced> auto& e) {
  a("routers", e.routers)("adopted", e.adopted);
}
template <class A>
constexpr void fields(A& a, Is<AddressFailed> auto& e) {
  a("router", e.router)("prefix", e.prefix)("error", e.error);
}
template <class A>
constexpr void fields(A& a, Is<SenderIdentified> auto& e) {
  a("interface", e.interface)("sender", e.sender)("mac", e.mac);
}
template <class A>
constexpr void fields(A& a, Is<AddressClaimed> auto& e) {
  a("interface", e.interface)("address", e.address)("mac", e.mac)("times", e.times);
}
template <class A>
constexpr void fields(A& a, Is<SwitchRequested> auto& e) {
  a("name", e.name);
}
template <class A>
constexpr void fields(A& a, Is<SwitchBackRequested> auto& e) {
  a("name", e.name);
}
template <class A>
constexpr void fields(A&, Is<Shutdown> auto&) {}
template <class A>
constexpr void fields(A& a, Is<AdvertisementsHeld> auto& e) {
  a("due", e.due);
}
template <class A>
constexpr void fields(A&, Is<Tick> auto&) {}

}  // namespace vipd::vrrp
