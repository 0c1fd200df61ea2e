// Link: a channel to another vipd program, watched by the loop, that carries programs/common/messages.h. When the
// other end is gone it reports that once, and does nothing until it gets a new channel.
//
// The two programs may be of different releases: during an upgrade, or when a guardian restarts a program whose
// file has been replaced. A bit in the type of a message says that it is in the tagged format. Release 0.1 does
// not set it, and ignores such a message because it knows no such type. A Link answers in the format in which
// the other end talks.
#pragma once

#include <functional>
#include <optional>

#include "io/channel.h"
#include "io/loop.h"
#include "programs/common/messages.h"

namespace vipd::programs {

class Link {
 public:
  using Received = std::function<void(io::Message)>;
  using Lost = std::function<void(const std::string& why)>;

  Link(io::Loop& loop, Received received, Lost lost);

  // format: the one that the other end reads, until it talks.
  void attach(io::Channel channel, ArchiveFormat format = ArchiveFormat::tagged);
  void detach();
  bool attached() const { return channel_.has_value(); }
  int fd() const { return channel_ ? channel_->fd() : -1; }
  ArchiveFormat format() const { return format_; }
  // Whether an error ended the last channel; otherwise the other end has closed it.
  bool broken() const { return broken_; }

  // Drops a message that cannot be sent because the other end is gone: its successor gets everything anew.
  template <class M>
  void send(const M& message, std::span<const int> fds = {}) {
    send_bytes(M::type, to_bytes(message, format_), fds);
  }
  void send_bytes(MessageType type, std::span<const std::uint8_t> bytes, std::span<const int> fds);

  // Reads what the other end sent before it died; call it before detach().
  void read_rest();

 private:
  void ready(std::uint32_t events);
  void lose(const std::string& why, bool broken);

  io::Loop& loop_;
  Received received_;
  Lost lost_;
  std::optional<io::Channel> channel_;
  io::Watch watch_;
  bool broken_ = false;
  std::uint64_t attachment_ = 0;  // counts channels
  ArchiveFormat format_ = ArchiveFormat::tagged;
};

// The type of a message on its way.
constexpr std::uint16_t tagged_type = 0x8000;
constexpr std::uint16_t type_on_the_way(MessageType type, ArchiveFormat format) {
  return static_cast<std::uint16_t>(type) | (format == ArchiveFormat::tagged ? tagged_type : 0);
}
constexpr ArchiveFormat format_of(const io::Message& message) {
  return (message.type & tagged_type) != 0 ? ArchiveFormat::tagged : ArchiveFormat::release_0_1;
}
inline bool is(const io::Message& message, MessageType type) {
  return message.type == type_on_the_way(type, format_of(message));
}

// Calls `handle` with the message if it is an M. Returns false if it is another kind. A message that cannot be
// read is dropped.
template <class M, class Handle>
bool on(const io::Message& message, Handle handle) {
  if (!is(message, M::type)) return false;
  if (auto value = from_bytes<M>(message.bytes, format_of(message))) handle(std::move(*value));
  return true;
}

}  // namespace vipd::programs
