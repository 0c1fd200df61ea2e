#include "programs/router/claim_listeners.h"

#include <algorithm>
#include <utility>

#include "programs/common/clock.h"

namespace vipd::programs {

namespace {
constexpr Duration deaf_time = std::chrono::milliseconds(100);  // after reading claims
}  // namespace

void ClaimListeners::set_ports(const Ports& ports) {
  for (auto each = listeners_.begin(); each != listeners_.end();) {
    auto& [key, listener] = *each;
    if (is_current(ports, key, listener.socket.interface_index())) {
      ++each;
      continue;
    }
    listener.watch.reset();
    discard_(listener.socket.release());
    each = listeners_.erase(each);
  }
  for (const auto& [interface, port] : ports)
    for (const auto& [family, vrids] : port.vrids)
      if (port.interface.exists()) listen({interface, family}, port.interface.index, port.virtual_addresses);
}

void ClaimListeners::listen(const PortKey& key, std::uint32_t index, const std::set<IpAddress>& addresses) {
  auto found = listeners_.find(key);
  if (found == listeners_.end()) {
    auto socket = io::ClaimSocket::open(key.second, key.first, index);
    if (!socket) return log_.write_limited(Level::warning, "listen " + key.first, socket.error().message);
    found = listeners_.emplace(key, Listener{.socket = std::move(*socket)}).first;
    found->second.watch = loop_.watch(found->second.socket.fd(), [this, key] { hear(key); });
  }
  if (const auto set = found->second.socket.set_addresses(addresses); !set)
    log_.write_limited(Level::warning, "listen " + key.first, set.error().message);
}

void ClaimListeners::hear(const PortKey& key) {
  const auto found = listeners_.find(key);
  if (found == listeners_.end()) return;
  auto& listener = found->second;
  std::map<std::pair<IpAddress, MacAddress>, std::uint32_t> claims;
  listener.socket.receive([&](const IpAddress& address, const MacAddress& mac) { ++claims[{address, mac}]; });
  for (const auto& [claim, times] : claims)
    report_(vrrp::AddressClaimed{key.first, claim.first, claim.second, times});
  listener.deaf_until = now() + deaf_time;
  listener.watch.set_events(0);
  expiry_ = std::min(expiry_, listener.deaf_until);
}

void ClaimListeners::expire(TimePoint now) {
  if (expiry_ > now) return;
  expiry_ = never;
  for (auto& [key, listener] : listeners_) {
    if (listener.deaf_until <= now) {
      listener.deaf_until = never;
      listener.watch.set_events(EPOLLIN);
    }
    expiry_ = std::min(expiry_, listener.deaf_until);
  }
}

}  // namespace vipd::programs
