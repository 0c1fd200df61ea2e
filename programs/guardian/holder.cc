#include "programs/guardian/holder.h"

#include <fmt/format.h>

#include <cstring>

#include "netlink/address.h"
#include "vrrp/transmission.h"

namespace vipd::programs {

Holder::Holder(Log& log, LeaseKeeper& leases) : log_(log), leases_(leases) {
  // A failure is retried and reported when the socket is needed: a host without IPv6 needs none for it.
  for (const auto family : {Family::ipv4, Family::ipv6})
    if (auto opened = io::AdvertSender::open(family)) senders_.emplace(family, std::move(*opened));
  if (auto opened = netlink::Socket::open(0 /* NETLINK_ROUTE */)) netlink_ = std::move(*opened);
}

void Holder::begin(HoldState state, TimePoint now) {
  held_.begin(std::move(state), now);
  withdraw_lapsed(now);
}

void Holder::withdraw_lapsed(TimePoint now) {
  for (const auto& lapsed : held_.take_lapsed(now)) {
    const auto& router = lapsed.router;
    log_.write_limited(
        Level::warning, "lapsed " + to_string(router.key),
        fmt::format(
            "{}: this node stalled and did not advertise for {}, so a peer must have taken over; vipd "
            "removes the addresses and sends nothing",
            to_string(router.key),
            to_string(std::chrono::floor<std::chrono::milliseconds>(lapsed.silent_for))));
    withdraw(router);
  }
}

void Holder::withdraw(const HeldRouter& router) {
  if (remove_addresses(router)) leases_.end(router.key);
}

void Holder::tell(Hold& hold) const {
  held_.for_each([&](const HeldRouter& router, TimePoint due) { hold.held(router.key, due); });
}

void Holder::tick(TimePoint now) {
  withdraw_lapsed(now);
  for (const auto& error : renewals_.take_errors()) log_.write_limited(Level::warning, "renew", error);
  held_.for_each_due(now, [&](const HeldActives::Due& due) {
    const auto& router = due.router;
    if (due.advertisement && send(router, router.advertisement.priority))
      leases_.renew(router.key, now + vrrp::lease_duration(router.advertisement.interval));
    if (due.renewal) renewals_.renew(changes(router, true));
  });
}

// A renewal that still waits for the kernel comes before the requests of the successor.
void Holder::end() {
  renewals_.forget();
  held_.end();
}

void Holder::last_will() {
  held_.for_each([&](const HeldRouter& router, TimePoint) {
    send(router, vrrp::release_priority);
    withdraw(router);
  });
  end();
}

bool Holder::send(const HeldRouter& router, vrrp::Priority priority) {
  auto* socket = sender(router.key.family);
  if (!socket) return false;
  auto advertisement = router.advertisement;
  advertisement.priority = priority;
  const auto transmissions = vrrp::transmissions(advertisement, router.source);
  std::vector<io::Outgoing> datagrams;
  for (const auto& each : transmissions) datagrams.push_back({each.source, each.destination, each.message});
  bool sent = false;
  for (const int error : socket->send(router.interface_index, datagrams)) {
    sent |= error == 0;
    if (error != 0)
      log_.write_limited(Level::warning, "hold " + to_string(router.key),
                         fmt::format("{}: cannot send an advertisement in place of vipd-router: {}",
                                     to_string(router.key), std::strerror(error)));
  }
  return sent;
}

std::vector<netlink::AddressChange> Holder::changes(const HeldRouter& router, bool add) {
  std::vector<netlink::AddressChange> changes;
  for (const auto& prefix : router.addresses)
    changes.push_back({.add = add,
                       .interface_index = router.interface_index,
                       .prefix = prefix,
                       .valid = router.dead_man,
                       .no_prefix_route = true,  // leaves the lifetime of the host's own routes unchanged
                       .label = {}});
  return changes;
}

// Whether the kernel has removed them all.
bool Holder::remove_addresses(const HeldRouter& router) {
  auto* socket = netlink();
  if (!socket) return false;
  renewals_.settle();
  bool done = true;
  for (const auto& result : netlink::apply(*socket, changes(router, false))) {
    if (result) continue;
    log_.write_limited(Level::warning, "hold " + to_string(router.key), result.error().message);
    done = false;
  }
  return done;
}

io::AdvertSender* Holder::sender(Family family) {
  auto found = senders_.find(family);
  if (found == senders_.end()) {
    auto opened = io::AdvertSender::open(family);
    if (!opened) {
      log_.write_limited(Level::error, "hold " + std::string(to_string(family)),
                         fmt::format("cannot advertise in place of vipd-router over {}: {}",
                                     to_string(family), opened.error().message));
      return nullptr;
    }
    found = senders_.emplace(family, std::move(*opened)).first;
  }
  return &found->second;
}

netlink::Socket* Holder::netlink() {
  if (!netlink_) {
    auto opened = netlink::Socket::open(0 /* NETLINK_ROUTE */);
    if (!opened) {
      log_.write_limited(Level::error, "hold netlink", opened.error().message);
      return nullptr;
    }
    netlink_ = std::move(*opened);
  }
  return &*netlink_;
}

}  // namespace vipd::programs
