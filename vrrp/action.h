// Actions: what the engine wants done, as values in the order of execution. programs/router/effects performs them. Each
// says on which interface: the key of a virtual router only says whose it is. The list is closed, so that the compiler finds every place that a new action concerns.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "vrrp/packet.h"
#include "vrrp/parameters.h"
#include "vrrp/resource.h"
#include "vrrp/status.h"

namespace vipd::vrrp {

struct SendAdvertisement {
  RouterKey router;
  std::string interface;
  Priority priority = 0;
  IpAddress source;
  IpAddress destination;
  std::vector<std::uint8_t> message;
};

// Putting what is already there renews it.
struct Put {
  RouterKey router;
  Resource resource;
};

// Renews what an Active holds: lifetimes start anew.
struct Renew {
  RouterKey router;
  std::vector<Resource> resources;
};

struct Drop {
  RouterKey router;
  Resource resource;
};

// A gratuitous ARP or unsolicited NA for an address, once the address is there.
struct Announce {
  RouterKey router;
  std::string interface;
  IpAddress address;
  std::vector<std::uint8_t> frame;
};

// Asks whether another station has the address; normally no station answers.
struct Probe {
  RouterKey router;
  std::string interface;
  IpAddress address;
  std::vector<std::uint8_t> frame;
};

struct StateChanged {
  RouterKey router;
  std::string name;
  StateName from = StateName::initialize;
  StateName to = StateName::initialize;
  Priority priority = 0;
  std::string reason;
};

// A received message that changed nothing but a counter.
struct AdvertisementDiscarded {
  std::string interface;
  IpAddress source;
  DecodeError error{};
};

// Asks which link-layer address this sender's advertisements come from, should it be heard again soon. The
// answer is the input SenderIdentified.
struct IdentifySender {
  RouterKey router;
  std::string interface;
  IpAddress sender;
};

// An event for the operator, under its stable name; events.h lists them.
struct Noted {
  RouterKey router;
  std::string name;
  std::string event;
  std::string text;
};

using Action = std::variant<SendAdvertisement, Put, Renew, Drop, Announce, Probe, StateChanged,
                            AdvertisementDiscarded, IdentifySender, Noted>;
using Actions = std::vector<Action>;

}  // namespace vipd::vrrp
