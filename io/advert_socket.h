// AdvertSocket: sends and receives VRRP advertisements of one family on one interface (IP protocol 112, RFC
// 9568 section 5.1). One socket serves all virtual routers there; the kernel drops advertisements of VRIDs
// that no virtual router here has. It only moves bytes: vrrp/packet makes and checks them, checksum and TTL
// included.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "io/advert_filter.h"
#include "io/advert_sender.h"
#include "io/fd.h"

namespace vipd::io {

// A received datagram. Valid during the callback only.
struct Datagram {
  IpAddress source;
  IpAddress destination;
  int hop_limit = 0;  // TTL or hop limit as it arrived
  std::span<const std::uint8_t>
      payload;             // from the VRRP header on; an IPv4 header and its options are cut off
  bool truncated = false;  // it was longer than the longest advertisement; payload is its beginning
};

// Parses what an IPv4 raw socket delivers, with the IP header. Empty if there is no VRRP message in it.
Datagram parse_ipv4(std::span<const std::uint8_t> packet);

class AdvertSocket {
 public:
  // Bound to the interface with this index (the name is for messages only), joined to the group there and
  // nowhere else. Sends with TTL 255, DSCP CS6, and does not receive its own messages. Non-blocking. Needs
  // CAP_NET_RAW.
  static Result<AdvertSocket> open(Family family, const std::string& interface, std::uint32_t index);

  int fd() const { return fd_.get(); }
  std::uint32_t interface_index() const { return index_; }

  // From now on the kernel drops advertisements of other VRIDs. Messages too short to have a VRID, and
  // messages that are not a VRRP advertisement of version 2 or 3, still arrive, so that they are counted.
  // Before the first call everything arrives. Datagrams already queued stay.
  Result<> set_vrids(std::span<const std::uint8_t> vrids);

  // Under a flood the queue overflows, and important advertisements are lost with the rest. With a shield the
  // kernel also drops malformed and unimportant ones, except one of 1024. Nothing: removes the shield.
  Result<> set_shield(std::optional<Shield> shield);

  // Calls back for the queued datagrams, at most 1024 per call, so that a flood does not hold up the loop.
  // Returns how many there were. The callback must not destroy this socket.
  Result<std::size_t> receive(const std::function<void(const Datagram&)>& received);

  // One errno per datagram, 0 if it was sent. ENODEV or ENXIO: the interface is gone. ENETDOWN: it is down.
  // ENETUNREACH, EINVAL or EADDRNOTAVAIL: the same, or the source is not a usable address of this host.
  // EAGAIN or ENOBUFS: the queue is full.
  std::vector<int> send(std::span<const Outgoing> datagrams);

 private:
  AdvertSocket(Fd fd, Family family, std::string interface, std::uint32_t index)
      : fd_(std::move(fd)), family_(family), interface_(std::move(interface)), index_(index) {}

  Result<> apply_filter();

  Fd fd_;
  Family family_;
  std::string interface_;
  std::uint32_t index_;
  std::vector<std::uint8_t> vrids_;
  std::optional<Shield> shield_;
};

}  // namespace vipd::io
