// Claim: a station says that it has an address, by ARP or by a Neighbor Advertisement. io/claim_socket gets
// them from the kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/ip.h"

namespace vipd::io {

struct Claim {
  IpAddress address;
  MacAddress mac;  // nothing but zeros: the station did not say
};

// Offsets into an ARP packet (RFC 826) for IPv4 over Ethernet.
constexpr std::size_t arp_sender_mac = 8;
constexpr std::size_t arp_sender_ip = 14;
constexpr std::size_t arp_size = 28;
// Into a Neighbor Advertisement (RFC 4861 section 4.4).
constexpr std::size_t na_target = 8;
constexpr std::size_t na_options = 24;

// An ARP packet without the header of its link. Nothing if it is cut short.
std::optional<Claim> parse_arp(std::span<const std::uint8_t> packet);

// An ICMPv6 message of that type.
std::optional<Claim> parse_neighbor_advertisement(std::span<const std::uint8_t> packet);

}  // namespace vipd::io
