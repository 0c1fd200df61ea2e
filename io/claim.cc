#include "io/claim.h"

#include <netinet/icmp6.h>

#include <algorithm>

namespace vipd::io {

std::optional<Claim> parse_arp(std::span<const std::uint8_t> packet) {
  if (packet.size() < arp_size) return std::nullopt;
  Claim claim{IpAddress::from_bytes(packet.subspan(arp_sender_ip, 4)), {}};
  std::copy_n(packet.begin() + arp_sender_mac, 6, claim.mac.octets.begin());
  return claim;
}

std::optional<Claim> parse_neighbor_advertisement(std::span<const std::uint8_t> packet) {
  if (packet.size() < na_options) return std::nullopt;
  Claim claim{IpAddress::from_bytes(packet.subspan(na_target, 16)), {}};
  // Options: type, length in units of eight bytes, value.
  for (auto rest = packet.subspan(na_options); rest.size() >= 8 && rest[1] != 0;) {
    if (rest[0] == ND_OPT_TARGET_LINKADDR) std::copy_n(rest.begin() + 2, 6, claim.mac.octets.begin());
    rest = rest.subspan(std::min(rest.size(), std::size_t{rest[1]} * 8));
  }
  return claim;
}

}  // namespace vipd::io
