// Link: a channel to another vipd program, watched by the loop, that carries programs/common/messages.h. When the
// other end is gone it reports that once, and does nothing until it gets a new channel.
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

  void attach(io::Channel channel);
  void detach();
  bool attached() const { return channel_.has_value(); }
  int fd() const { return channel_ ? channel_->fd() : -1; }
  // Whether an error ended the last channel; otherwise the other end has closed it.
  bool broken() const { return broken_; }

  // Drops a message that cannot be sent because the other end is gone: its successor gets everything anew.
  template <class M>
  void send(const M& message, std::span<const int> fds = {}) {
    send_bytes(M::type, to_bytes(message), fds);
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
};

// Calls `handle` with the message if it is an M. Returns false if it is another kind.
template <class M, class Handle>
bool on(const io::Message& message, Handle handle) {
  if (message.type != static_cast<std::uint16_t>(M::type)) return false;
  if (auto value = from_bytes<M>(message.bytes)) handle(std::move(*value));
  return true;
}

inline bool is(const io::Message& message, MessageType type) {
  return message.type == static_cast<std::uint16_t>(type);
}

}  // namespace vipd::programs
