#include "io/channel.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cassert>
#include <cstring>
#include <string>

#include "io/shared_memory.h"

namespace vipd::io {

namespace {

// Precedes every message. Both ends are programs of one installation on one machine: native byte order.
struct Header {
  std::uint32_t magic = expected_magic;
  std::uint16_t type = 0;
  std::uint16_t fds = 0;   // of the caller; the memory file precedes them
  std::uint32_t size = 0;  // of the message
  std::uint32_t in_file = 0;

  static constexpr std::uint32_t expected_magic = 0x56495044;
};

constexpr std::size_t most_inline = 100'000;  // below the usual limit for a datagram (net.core.wmem_default)
constexpr std::size_t most_datagram = sizeof(Header) + most_inline;
constexpr std::size_t most_messages_per_call = 64;
constexpr int seals = F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE;

tl::unexpected<Error> bad_message(const std::string& what) {
  return failure("invalid message from the other process: " + what, EPROTO);
}

Result<Fd> write_memory_file(std::span<const std::uint8_t> bytes) {
  auto file = TRY(open_memory_file("vipd-message"));
  while (!bytes.empty()) {
    const auto written = ::write(file.get(), bytes.data(), bytes.size());
    if (written < 0 && errno != EINTR) return system_failure("writing a memory file");
    if (written > 0) bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  if (fcntl(file.get(), F_ADD_SEALS, seals) != 0) return system_failure("sealing a memory file");
  return file;
}

Result<std::vector<std::uint8_t>> read_memory_file(const Fd& file, std::size_t size) {
  // Only an anonymous memory file has seals, so this also rejects descriptors on which reading may block.
  const int present = fcntl(file.get(), F_GET_SEALS);
  if (present < 0 || (present & seals) != seals) return bad_message("its memory file is not sealed");
  struct stat status{};
  if (fstat(file.get(), &status) != 0 || static_cast<std::size_t>(status.st_size) != size)
    return bad_message("its memory file does not have the announced size");
  std::vector<std::uint8_t> bytes(size);
  for (std::size_t done = 0; done < size;) {
    const auto got = ::pread(file.get(), bytes.data() + done, size - done, static_cast<off_t>(done));
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) return bad_message("its memory file cannot be read");
    done += static_cast<std::size_t>(got);
  }
  return bytes;
}

// Sends one datagram. Returns 0 or an errno.
int send_datagram(int fd, std::span<iovec> parts, std::span<const int> fds) {
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int) * (Channel::most_fds + 1))> control{};
  msghdr header{};
  header.msg_iov = parts.data();
  header.msg_iovlen = parts.size();
  if (!fds.empty()) {
    header.msg_control = control.data();
    header.msg_controllen = CMSG_SPACE(fds.size_bytes());
    auto* message = CMSG_FIRSTHDR(&header);
    message->cmsg_level = SOL_SOCKET;
    message->cmsg_type = SCM_RIGHTS;
    message->cmsg_len = CMSG_LEN(fds.size_bytes());
    std::memcpy(CMSG_DATA(message), fds.data(), fds.size_bytes());
  }
  while (::sendmsg(fd, &header, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
    if (errno != EINTR) return errno;
  return 0;
}

std::vector<int> numbers(std::span<const Fd> fds) {
  std::vector<int> result;
  for (const auto& fd : fds) result.push_back(fd.get());
  return result;
}

// Takes ownership of the descriptors of a datagram, even if the message is rejected later.
std::vector<Fd> take_fds(msghdr& header) {
  std::vector<Fd> fds;
  for (auto* message = CMSG_FIRSTHDR(&header); message; message = CMSG_NXTHDR(&header, message)) {
    if (message->cmsg_level != SOL_SOCKET || message->cmsg_type != SCM_RIGHTS) continue;
    const auto count = (message->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int fd = -1;
      std::memcpy(&fd, CMSG_DATA(message) + i * sizeof fd, sizeof fd);
      fds.emplace_back(fd);
    }
  }
  return fds;
}

}  // namespace

Result<std::pair<Channel, Channel>> Channel::pair() {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ends) != 0)
    return system_failure("creating a channel");
  auto first = adopt(Fd(ends[0]));
  auto second = adopt(Fd(ends[1]));
  return std::pair{TRY(std::move(first)), TRY(std::move(second))};
}

Result<Channel> Channel::adopt(Fd fd) {
  int domain = 0;
  int type = 0;
  socklen_t size = sizeof domain;
  if (getsockopt(fd.get(), SOL_SOCKET, SO_DOMAIN, &domain, &size) != 0 ||
      getsockopt(fd.get(), SOL_SOCKET, SO_TYPE, &type, &size) != 0)
    return system_failure("adopting a channel");
  if (domain != AF_UNIX || type != SOCK_SEQPACKET)
    return failure("adopting a channel: the descriptor is not a sequenced-packet socket", EPROTOTYPE);
  fcntl(fd.get(), F_SETFD, FD_CLOEXEC);
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
  // Room for a few of the largest datagrams, as far as the system limit allows.
  const int buffer = 4 * static_cast<int>(most_datagram);
  setsockopt(fd.get(), SOL_SOCKET, SO_SNDBUF, &buffer, sizeof buffer);
  return Channel(std::move(fd));
}

Result<bool> Channel::send(std::uint16_t type, std::span<const std::uint8_t> bytes,
                           std::span<const int> fds) {
  if (bytes.size() > most_bytes || fds.size() > most_fds)
    return failure("a message of " + std::to_string(bytes.size()) + " bytes and " +
                       std::to_string(fds.size()) + " descriptors is too large",
                   EMSGSIZE);
  Header header;
  header.type = type;
  header.fds = static_cast<std::uint16_t>(fds.size());
  header.size = static_cast<std::uint32_t>(bytes.size());

  Fd file;
  std::vector<int> all_fds;
  all_fds.reserve(1 + fds.size());
  if (bytes.size() > most_inline) {
    file = TRY(write_memory_file(bytes));
    header.in_file = 1;
    all_fds.push_back(file.get());
    bytes = {};
  }
  all_fds.insert(all_fds.end(), fds.begin(), fds.end());

  if (waiting()) {
    TRY_VOID(flush());
  }
  const std::span<const std::uint8_t> head(reinterpret_cast<const std::uint8_t*>(&header), sizeof header);
  if (!waiting()) {
    iovec parts[]{{const_cast<std::uint8_t*>(head.data()), head.size()},
                  {const_cast<std::uint8_t*>(bytes.data()), bytes.size()}};
    const int code = send_datagram(fd_.get(), parts, all_fds);
    if (code == 0) return true;
    if (code != EAGAIN) return system_failure("sending to the other process", code);
  }
  TRY_VOID(enqueue(head, bytes, all_fds));
  return false;
}

Result<> Channel::enqueue(std::span<const std::uint8_t> head, std::span<const std::uint8_t> body,
                          std::span<const int> fds) {
  const auto size = head.size() + body.size();
  if (backlog_.size() >= most_waiting || backlog_bytes_ + size > most_waiting_bytes)
    return failure(
        "the other process is not reading: " + std::to_string(backlog_.size()) + " messages are waiting",
        ENOBUFS);
  Packet packet;
  packet.bytes.reserve(size);
  packet.bytes.assign(head.begin(), head.end());
  packet.bytes.insert(packet.bytes.end(), body.begin(), body.end());
  for (const int fd : fds) {
    packet.fds.emplace_back(fcntl(fd, F_DUPFD_CLOEXEC, 0));
    if (!packet.fds.back()) return system_failure("keeping a descriptor for the other process");
  }
  backlog_.push_back(std::move(packet));
  backlog_bytes_ += size;
  return {};
}

Result<> Channel::flush() {
  while (waiting()) {
    auto& packet = backlog_.front();
    iovec part{packet.bytes.data(), packet.bytes.size()};
    const int code = send_datagram(fd_.get(), {&part, 1}, numbers(packet.fds));
    if (code == EAGAIN) return {};
    if (code != 0) return system_failure("sending to the other process", code);
    backlog_bytes_ -= packet.bytes.size();
    backlog_.pop_front();
  }
  return {};
}

Result<bool> Channel::receive(const std::function<void(Message)>& received) {
  buffer_.resize(most_datagram);
  alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int) * (most_fds + 1))> control;
  for (std::size_t count = 0; count < most_messages_per_call; ++count) {
    iovec part{buffer_.data(), buffer_.size()};
    msghdr header{};
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const auto size = ::recvmsg(fd_.get(), &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0 && errno == EAGAIN) return true;
    if (size < 0 && errno == ECONNRESET)
      continue;  // it ended without reading all messages; its last messages follow
    if (size < 0) return system_failure("receiving from the other process");
    auto fds = take_fds(header);
    if (size == 0) return false;
    if (header.msg_flags & (MSG_TRUNC | MSG_CTRUNC)) return bad_message("it is truncated");
    received(TRY(parse(static_cast<std::size_t>(size), std::move(fds))));
  }
  return true;
}

Result<Message> Channel::parse(std::size_t size, std::vector<Fd> fds) {
  Header header;
  if (size < sizeof header) return bad_message("it is too short");
  std::memcpy(&header, buffer_.data(), sizeof header);
  if (header.magic != Header::expected_magic || header.in_file > 1)
    return bad_message("its header is unknown");
  if (fds.size() != std::size_t{header.fds} + header.in_file)
    return bad_message("it came with " + std::to_string(fds.size()) + " descriptors instead of " +
                       std::to_string(header.fds + header.in_file));

  Message message;
  message.type = header.type;
  if (header.in_file) {
    if (size != sizeof header || header.size > most_bytes) return bad_message("its size is wrong");
    message.bytes = TRY(read_memory_file(fds.front(), header.size));
    fds.erase(fds.begin());
  } else {
    if (size != sizeof header + header.size) return bad_message("its size is wrong");
    message.bytes.assign(buffer_.begin() + sizeof header,
                         buffer_.begin() + static_cast<std::ptrdiff_t>(size));
  }
  message.fds = std::move(fds);
  return message;
}

}  // namespace vipd::io
