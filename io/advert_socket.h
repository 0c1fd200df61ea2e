// AdvertSocket: VRRP advertisements of one family on one interface, in and out (IP protocol 112, RFC 9568
// section 5.1). One socket serves all virtual routers there; the kernel drops adverts of VRIDs that nobody
// here has. It moves bytes: vrrp/packet makes them and judges them, checksum and TTL included.
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

// What was received. Valid during the callback only.
struct Datagram {
  IpAddress source;
  IpAddress destination;
  int hop_limit = 0;  // TTL or hop limit as it arrived
  std::span<const std::uint8_t>
      payload;             // from the VRRP header on; an IPv4 header and its options are cut off
  bool truncated = false;  // it was longer than any advertisement can be; payload is its beginning
};

// What an IPv4 raw socket delivers, IP header and all. Empty if there is none.
Datagram parse_ipv4(std::span<const std::uint8_t> packet);

class AdvertSocket {
 public:
  // Bound to the interface with this index (the name is for messages only), joined to the group there and
  // nowhere else; sends with TTL 255, DSCP CS6, and never hears itself. Non-blocking. Needs CAP_NET_RAW.
  static Result<AdvertSocket> open(Family family, const std::string& interface, std::uint32_t index);
  // A socket that open() made, in this process or in an earlier one that handed the descriptor on.
  static AdvertSocket adopt(Fd fd, Family family, const std::string& interface, std::uint32_t index);

  int fd() const { return fd_.get(); }
  Family family() const { return family_; }
  std::uint32_t interface_index() const { return index_; }

  // From now on the kernel drops advertisements of other VRIDs. What is too short to have a VRID, and what is
  // not a VRRP advertisement of version 2 or 3, still arrives: someone wants to count it. Before the first
  // call everything arrives. Already queued datagrams stay.
  Result<> set_vrids(std::span<const std::uint8_t> vrids);

  // Under a flood the queue overflows, and what matters is lost with the rest. With a shield the kernel also
  // drops, but for one of 1024, what is malformed or does not matter. Nothing: away with it.
  Result<> set_shield(std::optional<Shield> shield);

  // Calls back for what is queued, at most 1024 datagrams a call so that a flood does not hold up the loop.
  // Returns how many there were. The callback must not destroy this socket.
  Result<std::size_t> receive(const std::function<void(const Datagram&)>& received);

  // One errno per datagram, 0 for sent. ENODEV or ENXIO: the interface is gone. ENETDOWN: it is down.
  // ENETUNREACH, EINVAL or EADDRNOTAVAIL: that, or the source is not a usable address of this host. EAGAIN or
  // ENOBUFS: the queue is full.
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
