// The Internet checksum (RFC 1071) over a message and the pseudo-headers of RFC 8200 section 8.1 (IPv6) and
// RFC 5798 section 5.2.8 (IPv4). Used by the advertisement codec and by neighbour discovery.
#pragma once

#include <cstdint>
#include <span>

#include "base/ip.h"

namespace vipd::vrrp {

class Checksum {
 public:
  // Sums the bytes as 16-bit words in network order; pads an odd last byte with zero.
  Checksum& add(std::span<const std::uint8_t> bytes);
  Checksum& add_pseudo_header(const IpAddress& source, const IpAddress& destination, std::uint8_t protocol,
                              std::size_t length);
  // The value for the checksum field, in host order; 0 if the sum already includes the field and the field is
  // right.
  std::uint16_t value() const;

 private:
  std::uint32_t sum_ = 0;
};

}  // namespace vipd::vrrp
