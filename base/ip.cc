#include "base/ip.h"

#include <arpa/inet.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdio>

namespace vipd {

std::string_view to_string(Family family) {
  return family == Family::ipv4 ? "IPv4" : "IPv6";
}

bool IpAddress::is_unspecified() const {
  return std::all_of(octets.begin(), octets.end(), [](auto octet) { return octet == 0; });
}

bool IpAddress::is_multicast() const {
  return family == Family::ipv4 ? (octets[0] & 0xf0) == 0xe0 : octets[0] == 0xff;
}

bool IpAddress::is_link_local() const {
  if (family == Family::ipv4) return octets[0] == 169 && octets[1] == 254;
  return octets[0] == 0xfe && (octets[1] & 0xc0) == 0x80;
}

bool IpAddress::is_loopback() const {
  if (family == Family::ipv4) return octets[0] == 127;
  IpAddress loopback{Family::ipv6, {}};
  loopback.octets[15] = 1;
  return *this == loopback;
}

IpAddress IpAddress::from_bytes(std::span<const std::uint8_t> bytes) {
  assert(bytes.size() == 4 || bytes.size() == 16);
  IpAddress address;
  address.family = bytes.size() == 4 ? Family::ipv4 : Family::ipv6;
  std::copy(bytes.begin(), bytes.end(), address.octets.begin());
  return address;
}

Result<IpAddress> IpAddress::parse(std::string_view text) {
  const std::string copy(text);
  if (copy.find('\0') != std::string::npos) return failure("an address cannot contain a zero byte");
  IpAddress address;
  if (inet_pton(AF_INET, copy.c_str(), address.octets.data()) == 1) return address;
  address.family = Family::ipv6;
  if (inet_pton(AF_INET6, copy.c_str(), address.octets.data()) == 1) return address;
  return failure("\"" + copy + "\" is not an IPv4 or IPv6 address");
}

// Formats IPv4 without inet_ntop, which uses printf: each status prints thousands of addresses.
std::string to_string(const IpAddress& address) {
  char text[INET6_ADDRSTRLEN];
  if (address.family == Family::ipv6) {
    inet_ntop(AF_INET6, address.octets.data(), text, sizeof text);
    return text;
  }
  char* end = text;
  for (std::size_t i = 0; i < 4; ++i) {
    if (i > 0) *end++ = '.';
    end = std::to_chars(end, text + sizeof text, address.octets[i]).ptr;
  }
  return {text, end};
}

bool Prefix::contains(const IpAddress& other) const {
  if (other.family != address.family) return false;
  for (unsigned bit = 0; bit < length; bit += 8) {
    const unsigned bits = std::min(8u, length - bit);
    const auto mask = static_cast<std::uint8_t>(0xff << (8 - bits));
    if ((address.octets[bit / 8] ^ other.octets[bit / 8]) & mask) return false;
  }
  return true;
}

Result<Prefix> Prefix::parse(std::string_view text) {
  const auto slash = text.find('/');
  Prefix prefix{TRY(IpAddress::parse(text.substr(0, slash))), 0};
  const unsigned longest = prefix.address.family == Family::ipv4 ? 32 : 128;
  if (slash == std::string_view::npos) {
    prefix.length = static_cast<std::uint8_t>(longest);
    return prefix;
  }
  const auto length = text.substr(slash + 1);
  unsigned value = 0;
  const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), value);
  if (error != std::errc{} || end != length.data() + length.size() || length[0] == '0' || value > longest)
    return failure("\"" + std::string(text) + "\" has an invalid prefix length: it must be 1 to " +
                   std::to_string(longest) + " for " + std::string(to_string(prefix.address.family)));
  prefix.length = static_cast<std::uint8_t>(value);
  return prefix;
}

std::string to_string(const Prefix& prefix) {
  return to_string(prefix.address) + "/" + std::to_string(prefix.length);
}

Result<MacAddress> MacAddress::parse(std::string_view text) {
  MacAddress mac;
  unsigned octets[6];
  int used = 0;
  const std::string copy(text);
  if (std::sscanf(copy.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x%n", &octets[0], &octets[1], &octets[2], &octets[3],
                  &octets[4], &octets[5], &used) != 6 ||
      static_cast<std::size_t>(used) != copy.size())
    return failure("\"" + copy + "\" is not a MAC address such as 02:00:00:00:00:01");
  std::copy(std::begin(octets), std::end(octets), mac.octets.begin());
  return mac;
}

std::string to_string(const MacAddress& mac) {
  char text[18];
  std::snprintf(text, sizeof text, "%02x:%02x:%02x:%02x:%02x:%02x", mac.octets[0], mac.octets[1],
                mac.octets[2], mac.octets[3], mac.octets[4], mac.octets[5]);
  return text;
}

}  // namespace vipd
