#include "conf/address_rules.h"

#include <algorithm>
#include <charconv>

namespace vipd::conf {

namespace {

// The address with all host bits cleared or set.
IpAddress with_host_bits(const Prefix& prefix, bool set) {
  auto address = prefix.address;
  for (unsigned bit = prefix.length; bit < 8 * address.size(); ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    auto& octet = address.octets[bit / 8];
    octet = static_cast<std::uint8_t>(set ? octet | mask : octet & ~mask);
  }
  return address;
}

bool is_ipv4_mapped(const IpAddress& address) {
  return address.family == Family::ipv6 && address.octets[10] == 0xff && address.octets[11] == 0xff &&
         std::all_of(address.octets.begin(), address.octets.begin() + 10,
                     [](auto octet) { return octet == 0; });
}

}  // namespace

std::string trouble_with(const Prefix& prefix) {
  const auto& address = prefix.address;
  const bool ipv4 = address.family == Family::ipv4;
  if (address.is_unspecified()) return "the unspecified address";
  if (address.is_multicast()) return "a multicast address";
  if (address.is_loopback()) return "a loopback address";
  if (is_ipv4_mapped(address)) return "an IPv4-mapped address";
  if (ipv4 && address.octets[0] == 0) return "an address in 0.0.0.0/8 (\"this network\")";
  if (ipv4 && address == with_host_bits({address, 0}, true)) return "the broadcast address";
  // RFC 3021 and RFC 6164: a network of two addresses has no network or broadcast address.
  if (prefix.length + 1u >= 8 * address.size()) return {};
  const auto network = to_string(Prefix{with_host_bits(prefix, false), prefix.length});
  if (address == with_host_bits(prefix, false))
    return (ipv4 ? "the network address of " : "the subnet-router anycast address of ") + network;
  if (ipv4 && address == with_host_bits(prefix, true)) return "the broadcast address of " + network;
  return {};
}

Result<Listener> parse_listener(const std::string& text) {
  if (IpAddress::parse(text))
    return failure(text.find(':') == std::string::npos ? "add a port: \"" + text + ":80\""
                                                       : "add brackets and a port: \"[ADDRESS]:PORT\"");
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return failure("write \"ADDRESS:PORT\", such as 192.0.2.10:80");
  auto host = std::string_view(text).substr(0, colon);
  const auto digits = std::string_view(text).substr(colon + 1);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (!address || brackets != (address->family == Family::ipv6))
    return failure("write \"192.0.2.10:80\" or \"[2001:db8::10]:80\", with an address of the virtual router");
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits[0] == '0' || port > 65535)
    return failure("use a port from 1 to 65535");
  return Listener{*address, static_cast<std::uint16_t>(port)};
}

std::string remedy_for_address(const std::string& text) {
  if (text.find(' ') != std::string::npos)
    return "write only the address: vipd adds it to the interface of the virtual router";
  if (parse_listener(text))
    return "write the address without a port; ports belong in listen of a virtual server";
  return "write it as 192.0.2.10/24 or 2001:db8::10/64";
}

}  // namespace vipd::conf
