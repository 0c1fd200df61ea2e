// Actions: what the engine wants done, as values in the order of execution. programs/router/effects performs them. The
// list is closed, so that the compiler finds every place that a new action concerns.
#pragma once

#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "base/ip.h"
#include "vrrp/packet.h"
#include "vrrp/parameters.h"
#include "vrrp/status.h"

namespace vipd::vrrp {

struct SendAdvertisement {
  RouterKey router;
  Priority priority = 0;
  IpAddress source;
  IpAddress destination;
  std::vector<std::uint8_t> message;
};

// Adding an address that is already there renews its lifetime.
struct AddAddress {
  RouterKey router;
  Prefix prefix;
  Duration valid{};  // valid_lft; zero: for ever
};

// Renews all addresses of an Active: their lifetime starts anew.
struct RenewAddresses {
  RouterKey router;
  std::vector<Prefix> prefixes;
  Duration valid{};
};

struct RemoveAddress {
  RouterKey router;
  Prefix prefix;
};

// A gratuitous ARP or unsolicited NA for an address, once the address is there.
struct Announce {
  RouterKey router;
  IpAddress address;
  std::vector<std::uint8_t> frame;
};

// Asks whether another station has the address; normally no station answers.
struct Probe {
  RouterKey router;
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
  IpAddress sender;
};

// An event for the operator, under its stable name; events.h lists them.
struct Noted {
  RouterKey router;
  std::string name;
  std::string event;
  std::string text;
};

using Action = std::variant<SendAdvertisement, AddAddress, RenewAddresses, RemoveAddress, Announce, Probe,
                            StateChanged, AdvertisementDiscarded, IdentifySender, Noted>;
using Actions = std::vector<Action>;

}  // namespace vipd::vrrp
