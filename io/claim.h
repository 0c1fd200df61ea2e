// Claim: a station claims an address, by ARP or by a Neighbor Advertisement. io/claim_socket receives claims
// from the kernel.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "base/ip.h"

namespace vipd::io {

struct Claim {
  IpAddress address;
  MacAddress mac;  // all zeros: the message did not contain it
};

// Offsets into an ARP packet (RFC 826) for IPv4 over Ethernet.
constexpr std::size_t arp_sender_mac = 8;
constexpr std::size_t arp_sender_ip = 14;
constexpr std::size_t arp_size = 28;
// Offsets into a Neighbor Advertisement (RFC 4861 section 4.4).
constexpr std::size_t na_target = 8;
constexpr std::size_t na_options = 24;

// Parses an ARP packet without its link-layer header. Nothing if it is truncated.
std::optional<Claim> parse_arp(std::span<const std::uint8_t> packet);

// Parses an ICMPv6 message of that type.
std::optional<Claim> parse_neighbor_advertisement(std::span<const std::uint8_t> packet);

}  // namespace vipd::io
