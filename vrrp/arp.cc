#include "vrrp/arp.h"

#include <cassert>

namespace vipd::vrrp {

namespace {
std::vector<std::uint8_t> request(const MacAddress& mac, const IpAddress& sender,
                                  const MacAddress& target_mac, const IpAddress& target) {
  assert(sender.family == Family::ipv4 && target.family == Family::ipv4);
  std::vector<std::uint8_t> frame(6, 0xff);  // broadcast
  const auto append = [&frame](const auto& bytes) { frame.insert(frame.end(), bytes.begin(), bytes.end()); };
  append(mac.octets);
  append(std::initializer_list<std::uint8_t>{0x08, 0x06,    // EtherType ARP
                                             0x00, 0x01,    // hardware: Ethernet
                                             0x08, 0x00,    // protocol: IPv4
                                             6, 4,          // their lengths
                                             0x00, 0x01});  // request
  append(mac.octets);
  append(sender.bytes());
  append(target_mac.octets);
  append(target.bytes());
  return frame;
}
}  // namespace

std::vector<std::uint8_t> gratuitous_arp(const MacAddress& mac, const IpAddress& address) {
  // The target's hardware address is the sender's too (RFC 9568 section 6.4.2).
  return request(mac, address, mac, address);
}

std::vector<std::uint8_t> arp_probe(const MacAddress& mac, const IpAddress& address) {
  return request(mac, IpAddress{}, MacAddress{}, address);
}

}  // namespace vipd::vrrp
