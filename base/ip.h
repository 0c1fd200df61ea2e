// Addresses as values: parse, print, compare. Comparison is by family, then unsigned in network byte order,
// as RFC 9568 requires for the tie-break between equal priorities (section 6.4.3).
#pragma once

#include <array>
#include <compare>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vipd {

enum class Family : std::uint8_t { ipv4 = 4, ipv6 = 6 };

std::string_view to_string(Family family);  // "IPv4", "IPv6"

struct IpAddress {
  Family family = Family::ipv4;
  std::array<std::uint8_t, 16> octets{};  // IPv4 in the first four; the others stay zero

  auto operator<=>(const IpAddress&) const = default;

  std::span<const std::uint8_t> bytes() const { return {octets.data(), size()}; }
  std::size_t size() const { return family == Family::ipv4 ? 4 : 16; }

  bool is_unspecified() const;
  bool is_multicast() const;
  bool is_link_local() const;  // 169.254.0.0/16 or fe80::/10
  bool is_loopback() const;

  // 4 or 16 bytes in network byte order; any other size is a programming error.
  static IpAddress from_bytes(std::span<const std::uint8_t> bytes);
  static Result<IpAddress> parse(std::string_view text);
};

std::string to_string(const IpAddress& address);

// An address with the prefix length of its network: 192.0.2.10/24.
struct Prefix {
  IpAddress address;
  std::uint8_t length = 0;

  auto operator<=>(const Prefix&) const = default;

  bool contains(const IpAddress& other) const;  // same family and same leading bits

  // Without "/length" the prefix is the single address: /32 or /128.
  static Result<Prefix> parse(std::string_view text);
};

std::string to_string(const Prefix& prefix);

struct MacAddress {
  std::array<std::uint8_t, 6> octets{};
  auto operator<=>(const MacAddress&) const = default;
  static Result<MacAddress> parse(std::string_view text);
};

std::string to_string(const MacAddress& mac);  // "00:00:5e:00:01:33"

}  // namespace vipd
