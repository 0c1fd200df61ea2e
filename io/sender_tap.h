// SenderTap: finds out which link-layer address the VRRP messages of one sender come from. An AdvertSocket
// cannot tell: the kernel takes the link's header off before it.
//
// A packet socket whose filter lets nothing else through. It is asked about every packet of its family on the
// interface all the same, so it is for the moment in which somebody is looked for, and not for good.
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
  // For messages that arrive from now on. Needs CAP_NET_RAW.
  static Result<SenderTap> open(const IpAddress& sender, std::uint32_t interface_index);

  int fd() const { return fd_.get(); }
  Fd release() { return std::move(fd_); }

  // Of the message that was received, if there is one by now.
  std::optional<MacAddress> receive();

 private:
  explicit SenderTap(Fd fd) : fd_(std::move(fd)) {}
  Fd fd_;
};

}  // namespace vipd::io
