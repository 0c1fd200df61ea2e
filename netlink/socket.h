// Socket: one netlink socket, opened by libmnl. Errors carry the kernel's own words (extended
// acknowledgements), malformed dump requests are refused (strict checking). It moves messages; netlink/batch
// and netlink/link_watch give them meaning.
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

// A deadline in the past: receive() only looks.
constexpr TimePoint at_once{};

class Socket {
 public:
  // protocol: NETLINK_ROUTE, ... receive_buffer in bytes, forced where we may, else as much as is allowed.
  static Result<Socket> open(int protocol, std::size_t receive_buffer = 1 << 20);

  int fd() const;
  Result<> join(unsigned group);  // RTNLGRP_...
  std::uint32_t next_sequence() { return ++sequence_; }

  // The kernel works on what is sent before this returns; it waits for the kernel's locks as long as it must.
  Result<> send(std::span<const std::uint8_t> bytes);

  // One datagram of messages, or an error: ETIMEDOUT when none has come until the deadline (in the past: only
  // looks), ENOBUFS when the kernel has lost some, EMSGSIZE when it did not fit. Valid until the next call.
  Result<std::span<const std::uint8_t>> receive(TimePoint deadline);

  // A dump request: calls back for each object, again from the start if the kernel says that things changed
  // meanwhile (started is called before each start, to throw away what was collected). Bounded.
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

// The verdict of an NLMSG_ERROR or NLMSG_DONE message: 0 or an errno, and the kernel's words ("Invalid prefix
// length"), which may be empty.
struct Verdict {
  int code = 0;
  std::string words;
};
Verdict verdict_of(const nlmsghdr& message);

// "adding 192.0.2.1/24 to eth0: Invalid argument (ipv4: Invalid prefix length)"
tl::unexpected<Error> verdict_failure(const std::string& doing, const Verdict& verdict);

}  // namespace vipd::netlink
