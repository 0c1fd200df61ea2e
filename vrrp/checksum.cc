#include "vrrp/checksum.h"

#include <array>

namespace vipd::vrrp {

Checksum& Checksum::add(std::span<const std::uint8_t> bytes) {
  for (std::size_t i = 0; i + 1 < bytes.size(); i += 2)
    sum_ += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  if (bytes.size() % 2 != 0) sum_ += static_cast<std::uint32_t>(bytes.back() << 8);
  while (sum_ >> 16) sum_ = (sum_ & 0xffff) + (sum_ >> 16);
  return *this;
}

Checksum& Checksum::add_pseudo_header(const IpAddress& source, const IpAddress& destination,
                                      std::uint8_t protocol, std::size_t length) {
  add(source.bytes());
  add(destination.bytes());
  // Both families sum to the same words: IPv4 has a 16-bit length, IPv6 a 32-bit one and three zero bytes.
  const std::array<std::uint8_t, 6> rest{0,
                                         protocol,
                                         static_cast<std::uint8_t>(length >> 24),
                                         static_cast<std::uint8_t>(length >> 16),
                                         static_cast<std::uint8_t>(length >> 8),
                                         static_cast<std::uint8_t>(length)};
  return add(rest);
}

std::uint16_t Checksum::value() const {
  return static_cast<std::uint16_t>(~sum_);
}

}  // namespace vipd::vrrp
