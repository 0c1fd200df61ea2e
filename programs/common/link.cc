#include "programs/common/link.h"

#include <sys/epoll.h>

namespace vipd::programs {

RawLink::RawLink(io::Loop& loop, Received received, Lost lost)
    : loop_(loop), received_(std::move(received)), lost_(std::move(lost)) {}

void RawLink::attach(io::Channel channel, ArchiveFormat format) {
  detach();
  format_ = format;
  ++attachment_;
  channel_ = std::move(channel);
  watch_ = loop_.watch(channel_->fd(), EPOLLIN, [this](std::uint32_t events) { ready(events); });
}

void RawLink::detach() {
  watch_.reset();
  channel_.reset();
}

void RawLink::lose(const std::string& why, bool broken) {
  broken_ = broken;
  detach();
  lost_(why);
}

void RawLink::send_bytes(MessageType type, std::span<const std::uint8_t> bytes, int descriptor) {
  if (!channel_) return;
  const std::span<const int> fds(&descriptor, descriptor >= 0 ? 1 : 0);
  const auto sent = channel_->send(type_on_the_way(type, format_), bytes, fds);
  // The end of a peer is noticed, and reported, when its end of file is read.
  if (sent && !*sent) watch_.set_events(EPOLLIN | EPOLLOUT);
}

void RawLink::read_rest() {
  for (bool more = attached(); more;) {
    std::vector<io::Message> messages;
    const auto open = channel_->receive([&](io::Message message) { messages.push_back(std::move(message)); });
    more = open && *open && !messages.empty();
    for (auto& message : messages) received_(std::move(message));
    more = more && attached();
  }
}

void RawLink::ready(std::uint32_t events) {
  if (events & EPOLLOUT) {
    if (const auto flushed = channel_->flush(); !flushed) return lose(flushed.error().message, true);
    if (!channel_->waiting()) watch_.set_events(EPOLLIN);
  }
  // Messages are collected first: handling one may replace this very channel.
  const auto attachment = attachment_;
  std::vector<io::Message> messages;
  const auto open = channel_->receive([&](io::Message message) { messages.push_back(std::move(message)); });
  for (auto& message : messages) {
    if (attachment == attachment_) format_ = format_of(message);
    received_(std::move(message));
  }
  const bool same = attached() && attachment == attachment_;
  if (!open && same) return lose(open.error().message, true);
  if (open && !*open && same) lose("it has ended", false);
}

}  // namespace vipd::programs
