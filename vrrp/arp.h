// Gratuitous ARP: tells an IPv4 link which MAC address answers for a virtual address now (RFC 9568 section
// 8.1.2 and erratum 7947, RFC 5227). A complete Ethernet frame of 42 bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.h"

namespace vipd::vrrp {

// A request whose sender and target are `address`, broadcast from `mac`.
std::vector<std::uint8_t> gratuitous_arp(const MacAddress& mac, const IpAddress& address);

}  // namespace vipd::vrrp
