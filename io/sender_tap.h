// SenderTap: finds out from which link-layer address the VRRP messages of one sender come. An AdvertSocket
// cannot see it, because the kernel has already removed the link-layer header.
//
// It is a packet socket whose filter passes nothing else. The kernel still runs that filter for every packet
// of its family on the interface, so use it only while a sender is to be identified.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "base/ip.h"
#include "base/result.h"
#include "io/fd.h"

namespace vipd::io {

class SenderTap {
 public:
  // Receives messages that arrive from now on. Needs CAP_NET_RAW.
  static Result<SenderTap> open(const IpAddress& sender, std::uint32_t interface_index);

  int fd() const { return fd_.get(); }
  Fd release() { return std::move(fd_); }

  // The link-layer address of the received message, if one has arrived.
  std::optional<MacAddress> receive();

 private:
  explicit SenderTap(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace vipd::io
