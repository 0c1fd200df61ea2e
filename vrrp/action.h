// Actions: what the engine wants done, as values in the order in which it wants them. programs/router/effects performs
// them; a closed list, so that the compiler finds every place that a new one concerns.
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

// Adding an address that is there renews its lifetime.
struct AddAddress {
  RouterKey router;
  Prefix prefix;
  Duration valid{};  // valid_lft; zero: for ever
};

// All addresses of an Active, again: their lifetime starts anew.
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

// A question whether another station has the address: nobody should answer.
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

// A received message that touched a counter and nothing else.
struct AdvertisementDiscarded {
  std::string interface;
  IpAddress source;
  DecodeError error{};
};

// Find out which link-layer address this sender's advertisements come from, should it be heard again soon.
// SenderIdentified is the answer.
struct IdentifySender {
  RouterKey router;
  IpAddress sender;
};

// Something that an operator wants to know, with the event's stable name: the list is in events.h.
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
