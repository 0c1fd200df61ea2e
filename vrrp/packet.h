// The VRRPv3 ADVERTISEMENT: bytes to a value and back (RFC 9568 sections 5.1, 5.2 and 7.1).
//
// decode() makes every check that needs no configuration, in a fixed order that begins with the cheap and
// safe ones, and gives exactly one reason for a discard. The engine checks what needs the virtual router
// (VRID, checksum mode, owner, address list). This code knows no socket: the IP header has already been
// removed.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <tl/expected.hpp>
#include <vector>

#include "base/ip.h"
#include "vrrp/parameters.h"

namespace vipd::vrrp {

// Why a datagram was discarded, in the order of the checks. Each has a counter, per virtual router where the
// VRID is known, else per interface.
enum class DecodeError : std::uint8_t {
  own_packet,         // the source is one of our own addresses
  wrong_destination,  // not the VRRP group
  hop_limit,          // TTL or hop limit is not 255 (5.1.1.3, 5.1.2.3)
  length,             // shorter than its header or address count requires, or too long
  version,            // not version 3 (5.2.1)
  type,               // not an ADVERTISEMENT (5.2.2)
  address_count,      // no address at all (5.2.5)
  checksum,           // wrong, or not of the form that the configuration demands (5.2.8)
  source,             // not an address of a router; IPv6: not link-local (5.1.2.1)
  interval,           // Max Advertise Interval of zero (5.2.7)
  vrid,               // no such virtual router on this interface (5.2.3)
};
constexpr std::size_t decode_error_count = 11;

std::string_view to_string(DecodeError error);  // "hop_limit": the name in counters and documentation
std::string_view describe(DecodeError error);   // "TTL or hop limit is not 255"

// What the sender's checksum of an IPv4 message covers. IPv6 has one form, with the pseudo-header.
enum class ChecksumForm : std::uint8_t { rfc9568, pseudo_header };

struct Advertisement {
  Vrid vrid = 0;
  Priority priority = 0;
  Centiseconds interval{};           // Max Advertise Interval
  std::vector<IpAddress> addresses;  // in the order of the packet
  ChecksumForm checksum = ChecksumForm::pseudo_header;
  std::size_t trailing = 0;  // bytes after the last address: accepted and counted

  bool operator==(const Advertisement&) const = default;
};

// A VRRP message as it came from the network, IP header removed.
struct Datagram {
  IpAddress source;
  IpAddress destination;
  int hop_limit = 0;
  std::span<const std::uint8_t> payload;
  bool truncated = false;  // longer than any valid message
};

const IpAddress& multicast_group(Family family);  // 224.0.0.18 or ff02::12 (5.1.1.2, 5.1.2.2)

tl::expected<Advertisement, DecodeError> decode(const Datagram& datagram);

// Encodes `advertisement`; source and destination enter the checksum of the forms with a pseudo-header.
std::vector<std::uint8_t> encode(const Advertisement& advertisement, const IpAddress& source,
                                 const IpAddress& destination);

// 00:00:5e:00:01:VRID or 00:00:5e:00:02:VRID (7.3).
MacAddress virtual_router_mac(Family family, Vrid vrid);

constexpr bool known(ChecksumForm form) {
  return form <= ChecksumForm::pseudo_header;
}
template <class A>
constexpr void fields(A& a, Is<Advertisement> auto& v) {
  a("vrid", v.vrid)("priority", v.priority)("interval", v.interval)("addresses", v.addresses)(
      "checksum", v.checksum)("trailing", v.trailing);
}

}  // namespace vipd::vrrp
