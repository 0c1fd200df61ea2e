#include "programs/guardian/holder.h"

#include <fmt/format.h>

#include <algorithm>
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
  held_.clear();
  for (auto& router : state.held) {
    const auto known = std::find_if(state.snapshot.routers.begin(), state.snapshot.routers.end(),
                                    [&](const auto& each) { return each.key == router.key; });
    const auto due = known == state.snapshot.routers.end() ? now : known->deadline;
    // The router has renewed within the last third of dead_man.
    const auto renewal = now + router.dead_man / 3;
    held_.push_back({std::move(router), due, renewal});
  }
  snapshot_ = std::move(state.snapshot);
  withdraw_lapsed(now);
}

// The stall fence, as in vrrp/virtual_router: three intervals after the last advertisement a peer may have
// taken over, and a node that stalled must listen before it sends anything. The holder cannot listen.
void Holder::withdraw_lapsed(TimePoint now) {
  std::erase_if(held_, [&](const Held& held) {
    const auto interval = Duration(held.router.advertisement.interval);
    const auto silent_for = now - held.advertisement + interval;
    if (silent_for < 3 * interval) return false;
    log_.write_limited(
        Level::warning, "lapsed " + to_string(held.router.key),
        fmt::format(
            "{}: this node stalled and did not advertise for {}, so a peer must have taken over; vipd "
            "removes the addresses and sends nothing",
            to_string(held.router.key),
            to_string(std::chrono::floor<std::chrono::milliseconds>(silent_for))));
    withdraw(held);
    return true;
  });
}

void Holder::withdraw(const Held& held) {
  if (remove_addresses(held)) leases_.end(held.router.key);
}

void Holder::tell(Hold& hold) const {
  for (const auto& held : held_) hold.held(held.router.key, held.advertisement);
}

void Holder::tick(TimePoint now) {
  withdraw_lapsed(now);
  for (const auto& error : renewals_.take_errors()) log_.write_limited(Level::warning, "renew", error);
  for (auto& held : held_) {
    if (held.advertisement <= now) {
      if (send(held, held.router.advertisement.priority))
        leases_.renew(held.router.key, now + vrrp::lease_duration(held.router.advertisement.interval));
      held.advertisement += held.router.advertisement.interval;
      if (held.advertisement <= now) held.advertisement = now + held.router.advertisement.interval;
    }
    if (held.renewal <= now && held.router.dead_man != Duration::zero()) {
      renewals_.renew(changes(held, true));
      held.renewal = now + held.router.dead_man / 3;
    }
  }
}

TimePoint Holder::deadline() const {
  TimePoint earliest = never;
  for (const auto& held : held_) {
    earliest = std::min(earliest, held.advertisement);
    if (held.router.dead_man != Duration::zero()) earliest = std::min(earliest, held.renewal);
  }
  return earliest;
}

std::optional<vrrp::Snapshot> Holder::snapshot() const {
  auto snapshot = snapshot_;
  if (!snapshot) return std::nullopt;
  for (auto& router : snapshot->routers)
    for (const auto& held : held_)
      if (held.router.key == router.key) router.deadline = held.advertisement;
  return snapshot;
}

// A renewal that still waits for the kernel comes before the requests of the successor.
void Holder::end() {
  renewals_.forget();
  held_.clear();
  snapshot_.reset();
}

void Holder::last_will() {
  for (const auto& held : held_) {
    send(held, vrrp::release_priority);
    withdraw(held);
  }
  end();
}

bool Holder::send(const Held& held, vrrp::Priority priority) {
  auto* socket = sender(held.router.key.family);
  if (!socket) return false;
  auto advertisement = held.router.advertisement;
  advertisement.priority = priority;
  const auto transmissions = vrrp::transmissions(advertisement, held.router.source);
  std::vector<io::Outgoing> datagrams;
  for (const auto& each : transmissions) datagrams.push_back({each.source, each.destination, each.message});
  bool sent = false;
  for (const int error : socket->send(held.router.interface_index, datagrams)) {
    sent |= error == 0;
    if (error != 0)
      log_.write_limited(Level::warning, "hold " + to_string(held.router.key),
                         fmt::format("{}: cannot send an advertisement in place of vipd-router: {}",
                                     to_string(held.router.key), std::strerror(error)));
  }
  return sent;
}

std::vector<netlink::AddressChange> Holder::changes(const Held& held, bool add) {
  std::vector<netlink::AddressChange> changes;
  for (const auto& prefix : held.router.addresses)
    changes.push_back({.add = add,
                       .interface_index = held.router.interface_index,
                       .prefix = prefix,
                       .valid = held.router.dead_man,
                       .no_prefix_route = true,  // leaves the lifetime of the host's own routes unchanged
                       .label = {}});
  return changes;
}

// Whether the kernel has removed them all.
bool Holder::remove_addresses(const Held& held) {
  auto* socket = netlink();
  if (!socket) return false;
  renewals_.settle();
  bool done = true;
  for (const auto& result : netlink::apply(*socket, changes(held, false))) {
    if (result) continue;
    log_.write_limited(Level::warning, "hold " + to_string(held.router.key), result.error().message);
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
