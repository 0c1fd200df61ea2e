// Channel: messages with descriptors between two vipd processes, over a pair of SOCK_SEQPACKET sockets.
//
// A message is a type, bytes (base/archive makes them) and passed descriptors. A message too large for a
// datagram travels in a sealed memory file, invisibly to the callers. The peer may be dying, attacked or of
// another version: each message is checked, and a bad one is an error after which the channel should be
// dropped.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <span>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/fd.h"

namespace vipd::io {

struct Message {
  std::uint16_t type = 0;
  std::vector<std::uint8_t> bytes;
  std::vector<Fd> fds;  // close-on-exec
};

class Channel {
 public:
  static constexpr std::size_t most_bytes = 64 << 20;          // in one message
  static constexpr std::size_t most_fds = 128;                 // in one message
  static constexpr std::size_t most_waiting = 1024;            // messages in the backlog of send()
  static constexpr std::size_t most_waiting_bytes = 16 << 20;  // ... and their bytes

  static Result<std::pair<Channel, Channel>> pair();
  // Takes one end of a pair that another process made. The descriptor becomes non-blocking and close-on-exec.
  static Result<Channel> adopt(Fd fd);

  int fd() const { return fd_.get(); }
  Fd release() { return std::move(fd_); }

  // Does not block. true: the kernel has it. false: the peer is slow and the message waits in our backlog;
  // watch for EPOLLOUT while waiting() and call flush(). EPIPE or ECONNRESET: the peer is gone. ENOBUFS: the
  // backlog is full, the message is dropped. The caller keeps ownership of the descriptors.
  Result<bool> send(std::uint16_t type, std::span<const std::uint8_t> bytes, std::span<const int> fds = {});
  bool waiting() const { return !backlog_.empty(); }
  Result<> flush();  // as much of the backlog as fits

  // Calls back for the messages that have arrived, at most 64 per call. false: end of file, the peer is gone
  // and all its messages have been handed over. EPROTO: the message is not from a vipd process. The callback
  // must not destroy this channel.
  Result<bool> receive(const std::function<void(Message)>& received);

 private:
  // A message waiting to be sent: inline bytes (with header) and their descriptors.
  struct Packet {
    std::vector<std::uint8_t> bytes;
    std::vector<Fd> fds;
  };

  explicit Channel(Fd fd) : fd_(std::move(fd)) {}
  Result<> enqueue(std::span<const std::uint8_t> head, std::span<const std::uint8_t> body,
                   std::span<const int> fds);
  Result<Message> parse(std::size_t size, std::vector<Fd> fds);

  Fd fd_;
  std::deque<Packet> backlog_;
  std::size_t backlog_bytes_ = 0;
  std::vector<std::uint8_t> buffer_;  // for receive()
};

}  // namespace vipd::io
