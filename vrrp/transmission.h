// Transmission: an advertisement of ours as it goes onto the network. The only place that decides what an
// advertisement of a virtual router contains and where it goes; for the router, and for the guardian that
// holds for it.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.h"
#include "vrrp/packet.h"
#include "vrrp/parameters.h"

namespace vipd::vrrp {

// One datagram. Its hop limit is 255, and `message` is what follows the IP header.
struct Transmission {
  IpAddress source;
  IpAddress destination;
  std::vector<std::uint8_t> message;

  bool operator==(const Transmission&) const = default;
};

// What a virtual router with this configuration advertises.
Advertisement advertisement_of(const VirtualRouterConfig& config, Priority priority, ChecksumForm checksum);

// One for each destination: so far the multicast group alone. source: the primary address of the interface,
// whose family is that of the virtual router.
std::vector<Transmission> transmissions(const Advertisement& advertisement, const IpAddress& source);

}  // namespace vipd::vrrp
