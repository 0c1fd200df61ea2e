// Gratuitous ARP, which announces to an IPv4 link which MAC address now answers for a virtual address (RFC
// 9568 section 8.1.2 and erratum 7947, RFC 5227); and ARP probes, which ask whether another station has it.
// Complete Ethernet frames of 42 bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.h"

namespace vipd::vrrp {

// A request whose sender and target are `address`, broadcast from `mac`.
std::vector<std::uint8_t> gratuitous_arp(const MacAddress& mac, const IpAddress& address);

// A request for `address` without a sender address (RFC 5227 section 2.1.1), broadcast from `mac`. A station
// that has the address answers; no station changes its ARP cache because of the question.
std::vector<std::uint8_t> arp_probe(const MacAddress& mac, const IpAddress& address);

}  // namespace vipd::vrrp
