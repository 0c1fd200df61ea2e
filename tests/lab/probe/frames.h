// What is heard below IP: MAC addresses and packet sockets.
#pragma once

#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

#include "tests/lab/probe/output.h"

namespace lab_probe {

using Mac = std::array<std::uint8_t, 6>;

inline std::string to_string(const Mac& mac) {
  return fmt::format("{:02x}:{:02x}:{:02x}:{:02x}:{:02x}:{:02x}", mac[0], mac[1], mac[2], mac[3], mac[4],
                     mac[5]);
}

// A packet socket on the interface for frames of one type, without those that this host sends itself.
inline int packet_socket(const std::string& interface, std::uint16_t type) {
  const int descriptor =
      checked(socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(type)), "packet socket");
  const int one = 1;
  setsockopt(descriptor, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
  sockaddr_ll link{};
  link.sll_family = AF_PACKET;
  link.sll_protocol = htons(type);
  link.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  if (link.sll_ifindex == 0) die("interface " + interface);
  checked(bind(descriptor, reinterpret_cast<sockaddr*>(&link), sizeof link), "binding to " + interface);
  return descriptor;
}

inline Mac parse_mac(const std::string& text) {
  Mac mac{};
  unsigned part[6];
  if (std::sscanf(text.c_str(), "%2x:%2x:%2x:%2x:%2x:%2x", &part[0], &part[1], &part[2], &part[3], &part[4],
                  &part[5]) != 6)
    usage(fmt::format("\"{}\" is no MAC address", text));
  std::copy(std::begin(part), std::end(part), mac.begin());
  return mac;
}

}  // namespace lab_probe
