#include "programs/router/advert_ports.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <optional>

#include "programs/common/clock.h"

namespace vipd::programs {

void AdvertPorts::set_ports(const Ports& ports) {
  std::erase_if(open_, [&](const auto& each) {
    return !is_current(ports, each.first, each.second.socket.interface_index());
  });
  for (const auto& [interface, port] : ports)
    for (const auto& [family, vrids] : port.vrids)
      if (port.interface.exists()) open({interface, family}, port.interface.index, vrids);
}

void AdvertPorts::open(const PortKey& key, std::uint32_t index, const std::vector<std::uint8_t>& vrids) {
  const auto& [interface, family] = key;
  auto found = open_.find(key);
  if (found == open_.end()) {
    auto socket = io::AdvertSocket::open(family, interface, index);
    if (!socket) return log_.write_limited(Level::error, "open " + interface, socket.error().message);
    found = open_.emplace(key, Open{.socket = std::move(*socket)}).first;
    found->second.watch = loop_.watch(found->second.socket.fd(), [this, key] { receive(key); });
  }
  auto& port = found->second;
  if (port.vrids == vrids) return;
  if (const auto set = port.socket.set_vrids(vrids); !set) log_.warning(set.error().message);
  port.vrids = vrids;
}

void AdvertPorts::receive_all() {
  std::vector<PortKey> keys;
  for (const auto& [key, port] : open_) keys.push_back(key);
  for (const auto& key : keys) receive(key);
}

void AdvertPorts::receive(const PortKey& key) {
  const auto found = open_.find(key);
  if (found == open_.end()) return;
  auto& port = found->second;
  const auto received =
      port.socket.receive([&](const io::Datagram& datagram) { callbacks_.received(key.first, datagram); });
  if (!received) return log_.write_limited(Level::warning, "receive " + key.first, received.error().message);
  if (!port.guard.arrived(now(), *received, port.vrids.size())) return;
  callbacks_.flooded(key.first, key.second);
  set_shield(key, port);
}

void AdvertPorts::set_shield(const PortKey& key, Open& port) {
  std::optional<io::Shield> shield;
  if (port.guard.shielded()) shield = callbacks_.what_matters(key.first, key.second);
  if (const auto set = port.socket.set_shield(std::move(shield)); !set)
    log_.write_limited(Level::warning, "shield " + key.first, set.error().message);
  port.guard.shield_is_set(now());
  expiry_ = std::min(expiry_, port.guard.deadline());
}

void AdvertPorts::renew_shields() {
  for (auto& [key, port] : open_)
    if (port.guard.shielded()) set_shield(key, port);
}

void AdvertPorts::expire(TimePoint now) {
  if (expiry_ > now) return;
  expiry_ = never;
  for (auto& [key, port] : open_) {
    if (port.guard.due(now)) set_shield(key, port);
    expiry_ = std::min(expiry_, port.guard.deadline());
  }
}

void AdvertPorts::send(const std::vector<vrrp::SendAdvertisement>& advertisements) {
  std::map<PortKey, std::vector<const vrrp::SendAdvertisement*>> by_port;
  for (const auto& each : advertisements) by_port[{each.interface, each.router.family}].push_back(&each);
  for (const auto& [key, list] : by_port) {
    for (const auto* each : list) unsent_.insert(each->router);
    const auto found = open_.find(key);
    if (found == open_.end()) continue;
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

}  // namespace vipd::programs
