// Gratuitous ARP: tells an IPv4 link which MAC address answers for a virtual address now (RFC 9568 section
// 8.1.2 and erratum 7947, RFC 5227), and ARP probes, which ask it whether another one does. Complete Ethernet
// frames of 42 bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.h"

namespace vipd::vrrp {

// A request whose sender and target are `address`, broadcast from `mac`.
std::vector<std::uint8_t> gratuitous_arp(const MacAddress& mac, const IpAddress& address);

// A request for `address` from nobody (RFC 5227 section 2.1.1), broadcast from `mac`: who has it answers, and
// nobody learns anything from the question.
std::vector<std::uint8_t> arp_probe(const MacAddress& mac, const IpAddress& address);

}  // namespace vipd::vrrp
