// AdvertSender: sends VRRP advertisements of one family from any interface, and receives nothing. It contains
// what it shares with AdvertSocket, which receives as well: the IP header of an advertisement (RFC 9568
// section 5.1).
#pragma once

#include <sys/socket.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "io/fd.h"

namespace vipd::io {

inline constexpr int advert_hop_limit = 255;

// What to send. The destination is the group (advert_group) or a unicast peer; the source must be an address
// that this host has and may use (not a tentative one).
struct Outgoing {
  IpAddress source;
  IpAddress destination;
  std::span<const std::uint8_t> payload;  // the complete VRRP message with its checksum
};

IpAddress advert_group(Family family);  // 224.0.0.18, ff02::12

class AdvertSender {
 public:
  // Keeps one descriptor, and sending takes no further ones. Needs CAP_NET_RAW.
  static Result<AdvertSender> open(Family family);

  // One errno per datagram, 0 if it was sent, as AdvertSocket::send.
  std::vector<int> send(std::uint32_t interface_index, std::span<const Outgoing> datagrams);

 private:
  AdvertSender(Fd fd, Family family) : fd_(std::move(fd)), family_(family) {}

  Fd fd_;
  Family family_;
};

// --- for AdvertSocket ---

// A raw socket of IP protocol 112.
Result<Fd> open_advert_socket(Family family);
// TTL 255, DSCP CS6, the checksum as given; the socket does not receive its own messages.
Result<> set_advert_header(int fd, Family family);
std::vector<int> send_adverts(int fd, Family family, std::uint32_t interface_index,
                              std::span<const Outgoing> datagrams);

}  // namespace vipd::io
