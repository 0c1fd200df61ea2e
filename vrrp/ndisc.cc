#include "vrrp/ndisc.h"

#include <algorithm>
#include <cassert>

#include "vrrp/checksum.h"

namespace vipd::vrrp {

namespace {
constexpr std::uint8_t protocol_icmpv6 = 58;
const IpAddress all_nodes{Family::ipv6, {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};

void append(std::vector<std::uint8_t>& to, const auto& bytes) {
  to.insert(to.end(), bytes.begin(), bytes.end());
}

// ff02::1:ffXX:XXXX (RFC 4291 section 2.7.1).
IpAddress solicited_node_group(const IpAddress& target) {
  IpAddress group{Family::ipv6, {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0xff}};
  std::copy_n(target.octets.begin() + 13, 3, group.octets.begin() + 13);
  return group;
}

// Wraps a message from `mac` to a group's Ethernet address, and puts the checksum into the message.
std::vector<std::uint8_t> frame_of(std::vector<std::uint8_t> message, const MacAddress& mac,
                                   const IpAddress& source, const IpAddress& group) {
  const auto sum =
      Checksum().add_pseudo_header(source, group, protocol_icmpv6, message.size()).add(message).value();
  message[2] = static_cast<std::uint8_t>(sum >> 8);
  message[3] = static_cast<std::uint8_t>(sum);

  std::vector<std::uint8_t> frame{0x33, 0x33};  // and the last four bytes of the group (RFC 2464 section 7)
  append(frame, group.bytes().last(4));
  append(frame, mac.octets);
  append(frame, std::initializer_list<std::uint8_t>{0x86, 0xdd,     // EtherType IPv6
                                                    0x60, 0, 0, 0,  // version 6
                                                    0, static_cast<std::uint8_t>(message.size()),
                                                    protocol_icmpv6, 255});
  append(frame, source.bytes());
  append(frame, group.bytes());
  append(frame, message);
  return frame;
}
}  // namespace

std::vector<std::uint8_t> unsolicited_neighbor_advertisement(const MacAddress& mac, const IpAddress& source,
                                                             const IpAddress& target) {
  assert(source.family == Family::ipv6 && target.family == Family::ipv6);
  std::vector<std::uint8_t> message{136,  0, 0, 0,   // Neighbor Advertisement, code 0, checksum
                                    0xa0, 0, 0, 0};  // Router and Override, not Solicited
  append(message, target.bytes());
  append(message, std::initializer_list<std::uint8_t>{2, 1});  // option: target link-layer address, 8 bytes
  append(message, mac.octets);
  return frame_of(std::move(message), mac, source, all_nodes);
}

std::vector<std::uint8_t> duplicate_address_probe(const MacAddress& mac, const IpAddress& target) {
  assert(target.family == Family::ipv6);
  std::vector<std::uint8_t> message{135, 0, 0, 0, 0, 0, 0, 0};  // Neighbor Solicitation
  append(message, target.bytes());
  return frame_of(std::move(message), mac, IpAddress{Family::ipv6, {}}, solicited_node_group(target));
}

}  // namespace vipd::vrrp
