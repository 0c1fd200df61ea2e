#include "netlink/socket.h"

#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cstring>
#include <limits>
#include <optional>

#include "io/clock.h"
#include "netlink/attribute.h"

namespace vipd::netlink {

namespace {

constexpr std::size_t buffer_size =
    64 << 10;  // no message in the kernel's dumps or events is longer than half of this
constexpr int most_dump_starts = 8;

void set_receive_buffer(int fd, std::size_t size) {
  const int bytes = static_cast<int>(size);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes) != 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
}

// Waits until the socket is readable; false if the deadline passes first.
bool wait_readable(int fd, TimePoint deadline) {
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - io::now()).count();
    pollfd wait{fd, POLLIN, 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::clamp<std::int64_t>(left, 0, 60'000)));
    if (ready > 0) return true;
    if (ready == 0 && left <= 60'000) return false;
  }
}

}  // namespace

Socket::Socket(mnl_socket* socket) : socket_(socket), buffer_(new std::uint8_t[buffer_size]) {}

int Socket::fd() const {
  return mnl_socket_get_fd(socket_.get());
}

Result<Socket> Socket::open(int protocol, std::size_t receive_buffer) {
  auto* opened = mnl_socket_open2(protocol, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (!opened) return system_failure("opening a netlink socket");
  Socket socket(opened);
  if (mnl_socket_bind(opened, 0, MNL_SOCKET_AUTOPID) != 0) return system_failure("binding a netlink socket");
  // All three give more detailed errors; older kernels do not support them.
  int on = 1;
  mnl_socket_setsockopt(opened, NETLINK_EXT_ACK, &on, sizeof on);
  mnl_socket_setsockopt(opened, NETLINK_CAP_ACK, &on, sizeof on);
  mnl_socket_setsockopt(opened, NETLINK_GET_STRICT_CHK, &on, sizeof on);
  set_receive_buffer(socket.fd(), receive_buffer);
  return socket;
}

Result<> Socket::join(unsigned group) {
  if (mnl_socket_setsockopt(socket_.get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) != 0)
    return system_failure("subscribing to netlink group " + std::to_string(group));
  return {};
}

Result<> Socket::send(std::span<const std::uint8_t> bytes) {
  while (mnl_socket_sendto(socket_.get(), bytes.data(), bytes.size()) < 0)
    if (errno != EINTR) return system_failure("sending a netlink request");
  return {};
}

Result<std::span<const std::uint8_t>> Socket::receive(TimePoint deadline) {
  while (true) {
    sockaddr_nl sender{};
    iovec part{buffer_.get(), buffer_size};
    msghdr header{};
    header.msg_name = &sender;
    header.msg_namelen = sizeof sender;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    const auto size = ::recvmsg(fd(), &header, MSG_DONTWAIT);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno != EAGAIN) return system_failure("receiving from netlink");
    if (size < 0) {
      if (!wait_readable(fd(), deadline)) return system_failure("waiting for the kernel's answer", ETIMEDOUT);
      continue;
    }
    if (sender.nl_pid != 0) continue;  // another process can send to this socket; only the kernel is trusted
    if (header.msg_flags & MSG_TRUNC) return system_failure("receiving from netlink", EMSGSIZE);
    return std::span<const std::uint8_t>(buffer_.get(), static_cast<std::size_t>(size));
  }
}

Result<> Socket::dump(Request& request, const std::function<void()>& started,
                      const std::function<void(const nlmsghdr&)>& object, Duration bound) {
  const auto deadline = io::now() + bound;
  for (int start = 0; start < most_dump_starts; ++start) {
    started();
    const bool complete = TRY(dump_once(request, object, deadline));
    if (complete) return {};
  }
  return failure(request.doing + ": the kernel's tables keep changing", EAGAIN);
}

Result<bool> Socket::dump_once(Request& request, const std::function<void(const nlmsghdr&)>& object,
                               TimePoint deadline) {
  const auto sequence = next_sequence();
  TRY_VOID(send(request.finish(sequence, NLM_F_DUMP)));
  bool complete = true;
  while (true) {
    auto datagram = receive(deadline);
    if (!datagram) return tl::unexpected(std::move(datagram).error().context(request.doing));
    std::optional<Verdict> verdict;
    for_each_message(*datagram, [&](const nlmsghdr& message) {
      if (message.nlmsg_seq != sequence) return true;  // belongs to an earlier request that timed out
      if (message.nlmsg_flags & NLM_F_DUMP_INTR) complete = false;
      if (message.nlmsg_type == NLMSG_ERROR || message.nlmsg_type == NLMSG_DONE)
        verdict = verdict_of(message);
      else
        object(message);
      return !verdict;
    });
    if (!verdict) continue;
    if (verdict->code != 0) return verdict_failure(request.doing, *verdict);
    return complete;
  }
}

Verdict verdict_of(const nlmsghdr& message) {
  Verdict verdict;
  const auto payload = mnl_nlmsg_get_payload_len(&message);
  if (payload < sizeof(int)) return verdict;
  int code = 0;
  std::memcpy(&code, mnl_nlmsg_get_payload(&message), sizeof code);
  verdict.code = code == std::numeric_limits<int>::min() ? EPROTO : -code;

  // The kernel's error text is an attribute after the code (NLMSG_DONE), or after the header of the request
  // (NLMSG_ERROR, whose payload NETLINK_CAP_ACK omits).
  const bool has_words = (message.nlmsg_flags & NLM_F_ACK_TLVS) != 0;
  if (!has_words) return verdict;
  std::size_t offset = sizeof(int);
  if (message.nlmsg_type == NLMSG_ERROR) {
    if (payload < sizeof(nlmsgerr)) return verdict;
    const auto& error = *static_cast<const nlmsgerr*>(mnl_nlmsg_get_payload(&message));
    offset = sizeof(nlmsgerr);
    if (!(message.nlmsg_flags & NLM_F_CAPPED)) {
      if (error.msg.nlmsg_len < sizeof(nlmsghdr)) return verdict;
      offset += error.msg.nlmsg_len - sizeof(nlmsghdr);
    }
  }
  for_each_attribute(message, offset, [&](std::uint16_t type, std::span<const std::uint8_t> value) {
    if (type == NLMSGERR_ATTR_MSG) verdict.words = text_of(value);
  });
  return verdict;
}

tl::unexpected<Error> verdict_failure(const std::string& doing, const Verdict& verdict) {
  auto message = doing + ": " + std::strerror(verdict.code);
  if (!verdict.words.empty()) message += " (" + verdict.words + ")";
  return failure(std::move(message), verdict.code);
}

}  // namespace vipd::netlink
