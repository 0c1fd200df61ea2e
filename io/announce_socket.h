// AnnounceSocket: sends complete Ethernet frames from any interface, for gratuitous ARP and unsolicited
// Neighbor Advertisements (RFC 9568 section 8), and receives nothing. vrrp/arp and vrrp/ndisc make the bytes.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "base/result.h"
#include "io/fd.h"

namespace vipd::io {

struct Frame {
  std::uint32_t interface_index = 0;
  std::span<const std::uint8_t> bytes;  // from the destination MAC address on, without checksum or padding
};

class AnnounceSocket {
 public:
  static Result<AnnounceSocket> open();  // needs CAP_NET_RAW

  int fd() const { return fd_.get(); }

  // One errno per frame, 0 if it was sent. ENXIO: no such interface. ENETDOWN: it is down. ENOBUFS or EAGAIN:
  // its queue is full, try again later. EINVAL: shorter than an Ethernet header.
  std::vector<int> send(std::span<const Frame> frames);

 private:
  explicit AnnounceSocket(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace vipd::io
