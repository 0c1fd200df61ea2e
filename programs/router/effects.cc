#include "programs/router/effects.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "netlink/batch.h"
#include "programs/common/clock.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

constexpr double flood_rate = 1000;  // datagrams a second of a socket
constexpr double flood_rate_per_vrid = 200;
constexpr double flood_burst = 300;
constexpr Duration shortest_shield = 2s;
constexpr Duration longest_shield = 64s;
constexpr Duration shield_renewal = 100ms;  // the Active may have changed
constexpr Duration deaf_time = 100ms;       // after reading claims
constexpr std::size_t most_searches = 4;
constexpr Duration longest_search = 60s;
constexpr Duration slice_budget = 3ms;  // of netlink work before sockets and deadlines are checked again

template <class... Lambdas>
struct Overloaded : Lambdas... {
  using Lambdas::operator()...;
};
template <class... Lambdas>
Overloaded(Lambdas...) -> Overloaded<Lambdas...>;

const vrrp::RouterKey& router_of(const auto& work) {
  return std::visit([](const auto& each) -> const vrrp::RouterKey& { return each.router; }, work);
}

// The kernel removes all addresses of a subnet with the first one, unless it is set to promote another. A
// virtual address may be the first one, and the others the host's own. A failure to set this is ignored.
void keep_secondary_addresses(const std::string& interface) {
  const auto path = "/proc/sys/net/ipv4/conf/" + interface + "/promote_secondaries";
  const io::Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file) (void)!::write(file.get(), "1", 1);
}
}  // namespace

Result<std::unique_ptr<Effects>> Effects::open(io::Loop& loop, Log& log, Callbacks callbacks) {
  auto netlink = TRY(netlink::Socket::open(0 /* NETLINK_ROUTE */));
  auto announce = TRY(io::AnnounceSocket::open());
  return std::unique_ptr<Effects>(
      new Effects(loop, log, std::move(callbacks), std::move(netlink), std::move(announce)));
}

Effects::Effects(io::Loop& loop, Log& log, Callbacks callbacks, netlink::Socket netlink,
                 io::AnnounceSocket announce)
    : loop_(loop),
      log_(log),
      callbacks_(std::move(callbacks)),
      netlink_(std::move(netlink)),
      announce_(std::move(announce)) {}

// --- sockets ------------------------------------------------------------------------------------------

void Effects::set_ports(Ports ports) {
  ports_ = std::move(ports);
  const auto is_superfluous = [&](const auto& each) {
    const auto& [interface, family] = each.first;
    const auto port = ports_.find(interface);
    return port == ports_.end() || !port->second.vrids.contains(family) ||
           port->second.interface.index != each.second.socket.interface_index();
  };
  std::erase_if(sockets_, is_superfluous);
  for (auto& each : listeners_)
    if (is_superfluous(each)) discard(each.second);
  std::erase_if(listeners_, is_superfluous);
  for (const auto& [interface, port] : ports_)
    for (const auto& [family, vrids] : port.vrids) {
      if (!port.interface.exists()) continue;
      open_socket({interface, family}, port.interface.index, vrids);
      listen({interface, family}, port.interface.index, port.virtual_addresses);
    }
}

// Claims of other hosts to our addresses. Everything else works without it.
void Effects::listen(const SocketKey& key, std::uint32_t index, const std::set<IpAddress>& addresses) {
  auto found = listeners_.find(key);
  if (found == listeners_.end()) {
    auto socket = io::ClaimSocket::open(key.second, key.first, index);
    if (!socket) return log_.write_limited(Level::warning, "listen " + key.first, socket.error().message);
    found = listeners_.emplace(key, Listener{.socket = std::move(*socket)}).first;
    found->second.watch = loop_.watch(found->second.socket.fd(), [this, key] { hear_claims(key); });
  }
  if (const auto set = found->second.socket.set_addresses(addresses); !set)
    log_.write_limited(Level::warning, "listen " + key.first, set.error().message);
}

void Effects::hear_claims(const SocketKey& key) {
  const auto found = listeners_.find(key);
  if (found == listeners_.end()) return;
  std::map<std::pair<IpAddress, MacAddress>, std::uint32_t> claims;
  found->second.socket.receive(
      [&](const IpAddress& address, const MacAddress& mac) { ++claims[{address, mac}]; });
  for (const auto& [claim, times] : claims)
    facts_.push_back(vrrp::AddressClaimed{key.first, claim.first, claim.second, times});
  found->second.deaf_until = now() + deaf_time;
  found->second.watch.set_events(0);
  expiry_ = std::min(expiry_, found->second.deaf_until);
}

void Effects::open_socket(const SocketKey& key, std::uint32_t index, const std::vector<std::uint8_t>& vrids) {
  const auto& [interface, family] = key;
  auto found = sockets_.find(key);
  if (found == sockets_.end()) {
    if (family == Family::ipv4) keep_secondary_addresses(interface);
    auto socket = io::AdvertSocket::open(family, interface, index);
    if (!socket) return log_.write_limited(Level::error, "open " + interface, socket.error().message);
    found = sockets_.emplace(key, Socket{.socket = std::move(*socket)}).first;
    found->second.watch = loop_.watch(found->second.socket.fd(), [this, key] { receive(key); });
  }
  auto& open = found->second;
  if (open.vrids == vrids) return;
  if (const auto set = open.socket.set_vrids(vrids); !set) log_.warning(set.error().message);
  open.vrids = vrids;
}

void Effects::receive(const SocketKey& key) {
  const auto found = sockets_.find(key);
  if (found == sockets_.end()) return;
  const auto received = found->second.socket.receive(
      [&](const io::Datagram& datagram) { callbacks_.received(key.first, datagram); });
  if (!received) return log_.write_limited(Level::warning, "receive " + key.first, received.error().message);
  watch_for_flood(key, found->second, *received);
}

// All legitimate traffic fits into the allowance: each virtual router has one Active, or several for an
// instant, and one sends at most 100 advertisements a second.
void Effects::watch_for_flood(const SocketKey& key, Socket& socket, std::size_t received) {
  const auto time = now();
  const auto rate = flood_rate + flood_rate_per_vrid * static_cast<double>(socket.vrids.size());
  const auto earned = rate * std::chrono::duration<double>(time - socket.allowance_at).count();
  socket.allowance =
      std::min(socket.allowance + earned, flood_burst + rate / 10) - static_cast<double>(received);
  socket.allowance_at = time;
  if (socket.allowance >= 0) return;
  socket.allowance = 0;
  if (socket.shielded_until != never) return;
  // A continuing flood is let in only for moments, less and less often.
  const bool goes_on =
      socket.unshielded_at != TimePoint::min() && time - socket.unshielded_at < shortest_shield;
  socket.shield_time = goes_on ? std::min(2 * socket.shield_time, longest_shield) : shortest_shield;
  socket.shielded_until = time + socket.shield_time;
  expiry_ = std::min(expiry_, socket.shielded_until);
  callbacks_.flooded(key.first, key.second);
  set_shield(key, socket);
}

void Effects::set_shield(const SocketKey& key, Socket& socket) {
  const auto set = socket.shielded_until == never
                       ? socket.socket.set_shield(std::nullopt)
                       : socket.socket.set_shield(callbacks_.what_matters(key.first, key.second));
  if (!set) log_.write_limited(Level::warning, "shield " + key.first, set.error().message);
  socket.shield_renewal = socket.shielded_until == never ? never : now() + shield_renewal;
  expiry_ = std::min(expiry_, socket.shield_renewal);
}

void Effects::renew_shields() {
  for (auto& [key, socket] : sockets_)
    if (socket.shielded_until != never) set_shield(key, socket);
}

void Effects::receive_all() {
  std::vector<SocketKey> keys;
  for (const auto& [key, socket] : sockets_) keys.push_back(key);
  for (const auto& key : keys) receive(key);
}

void Effects::expire() {
  const auto time = now();
  if (expiry_ > time) return;
  expiry_ = never;
  for (auto& [key, socket] : sockets_) {
    if (socket.shielded_until <= time) {
      socket.shielded_until = never;
      socket.unshielded_at = time;
      set_shield(key, socket);
    } else if (socket.shield_renewal <= time) {
      set_shield(key, socket);
    }
    expiry_ = std::min({expiry_, socket.shielded_until, socket.shield_renewal});
  }
  for (auto& [key, listener] : listeners_) {
    if (listener.deaf_until <= time) {
      listener.deaf_until = never;
      listener.watch.set_events(EPOLLIN);
    }
    expiry_ = std::min(expiry_, listener.deaf_until);
  }
  for (auto each = searches_.begin(); each != searches_.end();) {
    if (each->second.until > time) {
      ++each;
      continue;
    }
    discard(each->second);
    each = searches_.erase(each);
  }
  for (const auto& [sender, search] : searches_) expiry_ = std::min(expiry_, search.until);
}

// The tap stays open until the sender is heard again, at most a minute, because it costs a little for each
// packet.
void Effects::search(const vrrp::IdentifySender& wanted) {
  const Sender sender{wanted.router.interface, wanted.sender};
  if (searches_.size() >= most_searches || searches_.contains(sender)) return;
  const auto index = index_of(wanted.router.interface);
  if (index == 0) return;
  auto tap = io::SenderTap::open(wanted.sender, index);
  if (!tap) return log_.write_limited(Level::warning, "identify", tap.error().message);
  auto& search = searches_.emplace(sender, Search{std::move(*tap), now() + longest_search, {}}).first->second;
  expiry_ = std::min(expiry_, search.until);
  search.watch = loop_.watch(search.tap.fd(), [this, sender] { found(sender); });
}

void Effects::found(const Sender& sender) {
  const auto search = searches_.find(sender);
  if (search == searches_.end()) return;
  if (const auto mac = search->second.tap.receive())
    facts_.push_back(vrrp::SenderIdentified{sender.first, sender.second, *mac});
  discard(search->second);
  searches_.erase(search);
}

void Effects::discard(Search& search) {
  search.watch.reset();
  callbacks_.discard(search.tap.release());
}

void Effects::discard(Listener& listener) {
  listener.watch.reset();
  callbacks_.discard(listener.socket.release());
}

// --- work ---------------------------------------------------------------------------------------------

void Effects::perform(const vrrp::Actions& actions) {
  std::map<vrrp::RouterKey, Share> shares;
  for (const auto& action : actions) {
    std::visit(
        Overloaded{
            [&](const vrrp::AddAddress& add) {
              shares[add.router].changes.push_back({add.router, true, add.prefix, add.valid});
            },
            [&](const vrrp::RemoveAddress& remove) {
              shares[remove.router].changes.push_back({remove.router, false, remove.prefix, {}});
            },
            [&](const vrrp::RenewAddresses& renew) {
              for (const auto& prefix : renew.prefixes)
                shares[renew.router].renewals.push_back({renew.router, true, prefix, renew.valid});
            },
            [&](const vrrp::SendAdvertisement& send) { shares[send.router].advertisements.push_back(send); },
            [&](const vrrp::Announce& announce) {
              shares[announce.router].announcements.push_back(announce);
            },
            [&](const vrrp::Probe& probe) {
              shares[probe.router].announcements.push_back({probe.router, probe.address, probe.frame});
            },
            [&](const vrrp::IdentifySender& identify) { search(identify); },
            [](const auto&) {},
        },
        action);
  }
  const auto queued = queued_routers();
  std::vector<vrrp::SendAdvertisement> now;
  std::vector<vrrp::Announce> announce_now;
  for (auto& [router, share] : shares) {
    if (!share.changes.empty()) {
      if (queued.contains(router)) forget_superseded(router, share.changes);
    } else {
      std::move(share.advertisements.begin(), share.advertisements.end(), std::back_inserter(now));
      share.advertisements.clear();
      if (!queued.contains(router)) {
        std::move(share.announcements.begin(), share.announcements.end(), std::back_inserter(announce_now));
        share.announcements.clear();
      }
    }
    enqueue(std::move(share));
  }
  send(now);
  announce(announce_now);
  if (!first_.empty()) run_slice();
}

// A change replaces waiting changes of the same address; and a router that leaves no longer sends or
// announces.
void Effects::forget_superseded(const vrrp::RouterKey& router, const std::vector<Change>& changes) {
  std::set<Prefix> touched;
  bool leaves = false;
  for (const auto& change : changes) {
    touched.insert(change.prefix);
    leaves = leaves || !change.add;
  }
  const auto superseded = [&](const Work& work) {
    if (router_of(work) != router) return false;
    const auto* change = std::get_if<Change>(&work);
    return change ? touched.contains(change->prefix) : leaves;
  };
  std::erase_if(first_, superseded);
  std::erase_if(rest_, superseded);
}

std::set<vrrp::RouterKey> Effects::queued_routers() const {
  std::set<vrrp::RouterKey> routers;
  for (const auto* queue : {&first_, &rest_})
    for (const auto& work : *queue) routers.insert(router_of(work));
  return routers;
}

void Effects::enqueue(Share share) {
  auto* queue = &first_;
  auto announcement = share.announcements.begin();
  for (std::size_t begin = 0; begin < share.changes.size(); begin += netlink::batch_size, queue = &rest_) {
    const auto end = std::min(begin + netlink::batch_size, share.changes.size());
    std::set<IpAddress> in_this_slice;
    for (auto i = begin; i < end; ++i) {
      in_this_slice.insert(share.changes[i].prefix.address);
      queue->push_back(std::move(share.changes[i]));
    }
    if (begin == 0)
      std::move(share.advertisements.begin(), share.advertisements.end(), std::back_inserter(*queue));
    // Announcements come in the order of the addresses.
    while (announcement != share.announcements.end() && in_this_slice.contains(announcement->address))
      queue->push_back(std::move(*announcement++));
  }
  std::move(announcement, share.announcements.end(), std::back_inserter(rest_));
  std::move(share.renewals.begin(), share.renewals.end(), std::back_inserter(rest_));
}

void Effects::run_slice() {
  auto& queue = first_.empty() ? rest_ : first_;
  std::vector<Work> slice;
  std::vector<Change> changes;
  while (!queue.empty()) {
    if (const auto* change = std::get_if<Change>(&queue.front())) {
      if (changes.size() == netlink::batch_size) break;
      changes.push_back(*change);
    }
    slice.push_back(std::move(queue.front()));
    queue.pop_front();
  }
  // The kernel may be slow (it searches long lists of IPv6 addresses): unfinished changes come first in the
  // next slice, with the actions that wait for them.
  std::size_t done = apply(changes);
  auto rest = slice.begin();
  for (; rest != slice.end(); ++rest)
    if (std::holds_alternative<Change>(*rest) && done-- == 0) break;
  std::vector<vrrp::SendAdvertisement> advertisements;
  std::vector<vrrp::Announce> announcements;
  for (auto each = slice.begin(); each != rest; ++each) {
    if (auto* advertisement = std::get_if<vrrp::SendAdvertisement>(&*each))
      advertisements.push_back(std::move(*advertisement));
    if (auto* announcement = std::get_if<vrrp::Announce>(&*each))
      announcements.push_back(std::move(*announcement));
  }
  queue.insert(queue.begin(), std::make_move_iterator(rest), std::make_move_iterator(slice.end()));
  announce(announcements);
  send(advertisements);
}

// --- system calls -------------------------------------------------------------------------------------

std::size_t Effects::apply(const std::vector<Change>& changes) {
  if (changes.empty()) return 0;
  std::vector<netlink::AddressChange> requests;
  for (const auto& change : changes) {
    const auto port = ports_.find(change.router.interface);
    const bool hosts_network =
        port != ports_.end() && netlink::is_connected(port->second.interface, change.prefix, {});
    requests.push_back({.add = change.add,
                        .interface_index = index_of(change.router.interface),
                        .prefix = change.prefix,
                        .valid = change.valid,
                        .no_prefix_route = hosts_network,
                        .label = {}});
  }
  const auto results = netlink::apply(netlink_, requests, slice_budget);
  for (std::size_t i = 0; i < results.size(); ++i) {
    // A missing interface has its own event, and its addresses are gone with it.
    if (results[i] || requests[i].interface_index == 0) continue;
    facts_.push_back(vrrp::AddressFailed{changes[i].router, changes[i].prefix, results[i].error().message});
  }
  return results.size();
}

void Effects::send(const std::vector<vrrp::SendAdvertisement>& advertisements) {
  std::map<SocketKey, std::vector<const vrrp::SendAdvertisement*>> by_socket;
  for (const auto& each : advertisements)
    by_socket[{each.router.interface, each.router.family}].push_back(&each);
  for (const auto& [key, list] : by_socket) {
    for (const auto* each : list) unsent_.insert(each->router);
    const auto found = sockets_.find(key);
    if (found == sockets_.end()) continue;
    std::vector<io::Outgoing> datagrams;
    for (const auto* each : list) datagrams.push_back({each->source, each->destination, each->message});
    const auto errors = found->second.socket.send(datagrams);
    for (std::size_t i = 0; i < errors.size(); ++i)
      if (errors[i] == 0)
        unsent_.erase(list[i]->router);
      else
        log_.write_limited(
            Level::warning, "send " + to_string(list[i]->router),
            fmt::format("{}: cannot send an advertisement from {}: {}", to_string(list[i]->router),
                        to_string(list[i]->source), std::strerror(errors[i])));
  }
}

void Effects::announce(const std::vector<vrrp::Announce>& announcements) {
  std::vector<io::Frame> frames;
  std::vector<const vrrp::Announce*> sent;
  for (const auto& each : announcements) {
    const auto index = index_of(each.router.interface);
    if (index == 0) continue;
    frames.push_back({index, each.frame});
    sent.push_back(&each);
  }
  const auto errors = announce_.send(frames);
  for (std::size_t i = 0; i < errors.size(); ++i)
    if (errors[i] != 0)
      log_.write_limited(Level::warning, "announce " + sent[i]->router.interface,
                         fmt::format("cannot announce {} on {}: {}", to_string(sent[i]->address),
                                     sent[i]->router.interface, std::strerror(errors[i])));
}

std::uint32_t Effects::index_of(const std::string& interface) const {
  const auto port = ports_.find(interface);
  return port == ports_.end() ? 0 : port->second.interface.index;
}

}  // namespace vipd::programs
