#include "programs/router/effects.h"

#include <fmt/format.h>

#include <cstring>

#include "programs/common/clock.h"

namespace vipd::programs {

Result<std::unique_ptr<Effects>> Effects::open(io::Loop& loop, Log& log, AdvertPorts::Callbacks callbacks,
                                               const DiscardSocket& discard) {
  auto netlink = TRY(netlink::Socket::open(0 /* NETLINK_ROUTE */));
  auto announce = TRY(io::AnnounceSocket::open());
  return std::unique_ptr<Effects>(
      new Effects(loop, log, std::move(callbacks), discard, std::move(netlink), std::move(announce)));
}

Effects::Effects(io::Loop& loop, Log& log, AdvertPorts::Callbacks callbacks, const DiscardSocket& discard,
                 netlink::Socket netlink, io::AnnounceSocket announce)
    : log_(log),
      adverts_(loop, log, std::move(callbacks)),
      claims_(loop, log, report(), discard),
      searches_(loop, log, report(), discard),
      resources_(std::move(netlink), report()),
      announce_(std::move(announce)) {}

ReportFact Effects::report() {
  return [this](vrrp::Input fact) { facts_.push_back(std::move(fact)); };
}

void Effects::set_ports(Ports ports) {
  ports_ = std::move(ports);
  resources_.set_ports(ports_);
  adverts_.set_ports(ports_);
  claims_.set_ports(ports_);
}

void Effects::perform(const vrrp::Actions& actions) {
  for (const auto& action : actions)
    if (const auto* wanted = std::get_if<vrrp::IdentifySender>(&action))
      searches_.begin(*wanted, index_of(ports_, wanted->interface));
  const auto now = queue_.add(actions);
  adverts_.send(now.advertisements);
  announce(now.announcements);
  if (queue_.urgent()) run_slice();
}

// Unfinished changes come first in the next slice, with the messages that wait for them: the kernel may be
// slow, because it searches long lists of IPv6 addresses.
void Effects::run_slice() {
  const auto done = resources_.apply(queue_.slice());
  const auto messages = queue_.finish(done);
  announce(messages.announcements);
  adverts_.send(messages.advertisements);
}

void Effects::expire() {
  const auto time = now();
  adverts_.expire(time);
  claims_.expire(time);
  searches_.expire(time);
}

void Effects::announce(const std::vector<vrrp::Announce>& announcements) {
  std::vector<io::Frame> frames;
  std::vector<const vrrp::Announce*> sent;
  for (const auto& each : announcements) {
    const auto index = index_of(ports_, each.interface);
    if (index == 0) continue;
    frames.push_back({index, each.frame});
    sent.push_back(&each);
  }
  const auto errors = announce_.send(frames);
  for (std::size_t i = 0; i < errors.size(); ++i)
    if (errors[i] != 0)
      log_.write_limited(Level::warning, "announce " + sent[i]->interface,
                         fmt::format("cannot announce {} on {}: {}", to_string(sent[i]->address),
                                     sent[i]->interface, std::strerror(errors[i])));
}

}  // namespace vipd::programs
