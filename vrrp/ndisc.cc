#include "vrrp/ndisc.h"

#include <cassert>

#include "vrrp/checksum.h"

namespace vipd::vrrp {

namespace {
constexpr std::uint8_t protocol_icmpv6 = 58;
const IpAddress all_nodes{Family::ipv6, {0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1}};
}  // namespace

std::vector<std::uint8_t> unsolicited_neighbor_advertisement(const MacAddress& mac, const IpAddress& source,
                                                             const IpAddress& target) {
  assert(source.family == Family::ipv6 && target.family == Family::ipv6);
  std::vector<std::uint8_t> message{136,  0, 0, 0,   // Neighbor Advertisement, code 0, checksum
                                    0xa0, 0, 0, 0};  // Router and Override, not Solicited
  const auto append = [](std::vector<std::uint8_t>& to, const auto& bytes) {
    to.insert(to.end(), bytes.begin(), bytes.end());
  };
  append(message, target.bytes());
  append(message, std::initializer_list<std::uint8_t>{2, 1});  // option: target link-layer address, 8 bytes
  append(message, mac.octets);
  const auto sum =
      Checksum().add_pseudo_header(source, all_nodes, protocol_icmpv6, message.size()).add(message).value();
  message[2] = static_cast<std::uint8_t>(sum >> 8);
  message[3] = static_cast<std::uint8_t>(sum);

  std::vector<std::uint8_t> frame{0x33, 0x33, 0, 0, 0, 1};  // the group's Ethernet address
  append(frame, mac.octets);
  append(frame, std::initializer_list<std::uint8_t>{0x86, 0xdd,     // EtherType IPv6
                                                    0x60, 0, 0, 0,  // version 6
                                                    0, static_cast<std::uint8_t>(message.size()),
                                                    protocol_icmpv6, 255});
  append(frame, source.bytes());
  append(frame, all_nodes.bytes());
  append(frame, message);
  return frame;
}

}  // namespace vipd::vrrp
