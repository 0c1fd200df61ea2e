// Unsolicited Neighbor Advertisement, which announces to an IPv6 link which MAC address now answers for a
// virtual address (RFC 9568 section 8.2.2, RFC 4861 section 4.4); and the question whether another station
// has it. Complete Ethernet frames of 86 and 78 bytes.
#pragma once

#include <cstdint>
#include <vector>

#include "base/ip.h"

namespace vipd::vrrp {

// To all nodes (ff02::1) from `source`, flags Router and Override, with the target link-layer address `mac`.
std::vector<std::uint8_t> unsolicited_neighbor_advertisement(const MacAddress& mac, const IpAddress& source,
                                                             const IpAddress& target);

// A Neighbor Solicitation for `target` without a sender address, as for duplicate address detection (RFC 4862
// section 5.4.2). A station that has the address answers to all nodes; no station changes its neighbour cache
// because of the question.
std::vector<std::uint8_t> duplicate_address_probe(const MacAddress& mac, const IpAddress& target);

}  // namespace vipd::vrrp
