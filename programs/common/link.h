// Link: a channel to another vipd program, watched by the loop, with the messages of its two directions, as variants:
// what may be sent is known to the compiler, and what arrives is visited whole. When the other end is gone the link
// reports that once, and does nothing until it gets a new channel.
//
// The two programs may be of different releases: during an upgrade, or when a guardian restarts a program whose file
// has been replaced. So a message of an unknown type is ignored and logged, like one that cannot be read or carries
// more descriptors than its type says. A bit in the type of a message says that it is in the tagged format. Release
// 0.1 does not set it, and ignores such a message because it knows no such type. A link answers in the format in
// which the other end talks.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "io/channel.h"
#include "io/loop.h"
#include "programs/common/log.h"
#include "programs/common/messages.h"

namespace vipd::programs {

// --- the type of a message on its way -----------------------------------------------------------------

constexpr std::uint16_t tagged_type = 0x8000;
constexpr std::uint16_t type_on_the_way(MessageType type, ArchiveFormat format) {
  return static_cast<std::uint16_t>(type) | (format == ArchiveFormat::tagged ? tagged_type : 0);
}
constexpr ArchiveFormat format_of(const io::Message& message) {
  return (message.type & tagged_type) != 0 ? ArchiveFormat::tagged : ArchiveFormat::release_0_1;
}
constexpr bool is(const io::Message& message, MessageType type) {
  return message.type == type_on_the_way(type, format_of(message));
}

// --- messages of one direction ------------------------------------------------------------------------

template <class M>
concept CarriesDescriptor = requires(M& message) { message.descriptor; };

template <class M>
Result<M> read_message(io::Message& message) {
  if (message.fds.size() > (CarriesDescriptor<M> ? 1 : 0))
    return failure("a message carries " + std::to_string(message.fds.size()) +
                   " descriptors, more than its type allows");
  auto value = from_bytes<M>(message.bytes, format_of(message));
  if constexpr (CarriesDescriptor<M>)
    if (value && !message.fds.empty()) value->descriptor = std::move(message.fds.front());
  return value;
}

template <class Messages>
struct Direction;
template <class... M>
struct Direction<std::variant<M...>> {
  template <class One>
  static constexpr bool include = (std::is_same_v<One, M> || ...);

  // The message, as one of these; the error says why it is none.
  static Result<std::variant<M...>> read(io::Message message) {
    Result<std::variant<M...>> result = failure("a message has a type that this version does not know");
    (void)((is(message, M::type) && (result = read_message<M>(message), true)) || ...);
    return result;
  }
};

// --- the link -----------------------------------------------------------------------------------------

// Whatever the messages say.
class RawLink {
 public:
  using Received = std::function<void(io::Message)>;
  using Lost = std::function<void(const std::string& why)>;

  RawLink(io::Loop& loop, Received received, Lost lost);

  // format: the one that the other end reads, until it talks.
  void attach(io::Channel channel, ArchiveFormat format = ArchiveFormat::tagged);
  void detach();
  bool attached() const { return channel_.has_value(); }
  int fd() const { return channel_ ? channel_->fd() : -1; }
  ArchiveFormat format() const { return format_; }
  // Whether an error ended the last channel; otherwise the other end has closed it.
  bool broken() const { return broken_; }
  // Reads what the other end sent before it died; call it before detach().
  void read_rest();

 protected:
  void send_bytes(MessageType type, std::span<const std::uint8_t> bytes, int descriptor);

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

template <class Out, class In>
class Link : public RawLink {
 public:
  // peer: the name of the other program, for the log.
  Link(io::Loop& loop, Log& log, const std::string& peer, std::function<void(In)> received, Lost lost)
      : RawLink(
            loop,
            [&log, peer, received = std::move(received)](io::Message message) {
              const auto type = message.type;
              if (auto known = Direction<In>::read(std::move(message)))
                received(std::move(*known));
              else
                log.write_limited(Level::warning, "ignored " + peer,
                                  "ignored what " + peer + " said: " + known.error().message + " (type " +
                                      std::to_string(type) + ")");
            },
            std::move(lost)) {}

  // Drops a message that cannot be sent because the other end is gone: its successor gets everything anew.
  // descriptor: to go with it; it stays the caller's.
  template <class M>
    requires(Direction<Out>::template include<M>)
  void send(const M& message, int descriptor = -1) {
    send_bytes(M::type, to_bytes(message, format()), descriptor);
  }
};

}  // namespace vipd::programs
