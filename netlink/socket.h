// Socket: one netlink socket, opened by libmnl. Errors include the kernel's own words (extended
// acknowledgements); malformed dump requests are refused (strict checking). It only moves messages;
// netlink/batch and netlink/link_watch interpret them.
#pragma once

#include <libmnl/libmnl.h>
#include <linux/netlink.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "netlink/request.h"

namespace vipd::netlink {

// A deadline in the past: receive() does not wait.
constexpr TimePoint at_once{};

class Socket {
 public:
  // protocol: NETLINK_ROUTE, ... receive_buffer in bytes: forced if permitted, otherwise as large as allowed.
  static Result<Socket> open(int protocol, std::size_t receive_buffer = 1 << 20);

  int fd() const;
  Result<> join(unsigned group);  // RTNLGRP_...
  std::uint32_t next_sequence() { return ++sequence_; }

  // The kernel processes the request before this returns, and waits for the kernel's locks as long as
  // necessary.
  Result<> send(std::span<const std::uint8_t> bytes);

  // One datagram of messages, or an error: ETIMEDOUT if none has arrived by the deadline (in the past: does
  // not wait), ENOBUFS if the kernel has dropped some, EMSGSIZE if it did not fit. Valid until the next call.
  Result<std::span<const std::uint8_t>> receive(TimePoint deadline);

  // Sends a dump request and calls back for each object, again from the start if the kernel reports that
  // things changed meanwhile (`started` is called before each start, to discard what was collected). Bounded.
  Result<> dump(Request& request, const std::function<void()>& started,
                const std::function<void(const nlmsghdr&)>& object, Duration bound);

 private:
  struct Close {
    void operator()(mnl_socket* socket) const { mnl_socket_close(socket); }
  };
  explicit Socket(mnl_socket* socket);
  Result<bool> dump_once(Request& request, const std::function<void(const nlmsghdr&)>& object,
                         TimePoint deadline);

  std::unique_ptr<mnl_socket, Close> socket_;
  std::unique_ptr<std::uint8_t[]> buffer_;
  std::uint32_t sequence_ = 0;
};

// The content of an NLMSG_ERROR or NLMSG_DONE message: 0 or an errno, and the kernel's words ("Invalid prefix
// length"), which may be empty.
struct Verdict {
  int code = 0;
  std::string words;
};
Verdict verdict_of(const nlmsghdr& message);

// "adding 192.0.2.1/24 to eth0: Invalid argument (ipv4: Invalid prefix length)"
tl::unexpected<Error> verdict_failure(const std::string& doing, const Verdict& verdict);

}  // namespace vipd::netlink
