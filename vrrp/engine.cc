#include "vrrp/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "vrrp/interface_view.h"
#include "vrrp/sync_group.h"

namespace vipd::vrrp {

std::string to_string(const RouterKey& key) {
  return fmt::format("VRID {} on {} ({})", key.vrid, key.interface, vipd::to_string(key.family));
}

Actions Engine::step(TimePoint now, const Event& event) {
  assert(now >= now_);
  now_ = now;
  std::visit([this](const auto& each) { handle(each); }, event);
  return std::exchange(actions_, {});
}

// --- a packet comes in
// -----------------------------------------------------------------------------------------

void Engine::handle(const DatagramReceived& event) {
  if (is_own_address(event.interface, event.source)) return discard(event, DecodeError::own_packet, nullptr);
  const auto decoded =
      decode({event.source, event.destination, event.hop_limit, event.payload, event.truncated});
  // The VRID of a bad packet is a hint good enough for a counter.
  VirtualRouter* router =
      event.payload.size() >= 2 ? find({event.interface, event.payload[1], event.source.family}) : nullptr;
  if (!decoded) return discard(event, decoded.error(), router);
  if (!router) return discard(event, DecodeError::vrid, nullptr);
  if (!router->accepts(decoded->checksum)) return discard(event, DecodeError::checksum, router);
  router->advertisement_received(turn(*router), event.source, *decoded);
  reschedule(*router);
}

void Engine::discard(const DatagramReceived& event, DecodeError error, VirtualRouter* router) {
  if (router)
    router->count_discard(error);
  else
    ++discarded_[event.interface][static_cast<std::size_t>(error)];
  actions_.push_back(AdvertisementDiscarded{event.interface, event.source, error});
}

bool Engine::is_own_address(const std::string& interface, const IpAddress& address) const {
  const auto& addresses = interface_named(interface).addresses;
  return std::any_of(addresses.begin(), addresses.end(),
                     [&](const InterfaceAddress& each) { return each.prefix.address == address; });
}

// --- facts
// -----------------------------------------------------------------------------------------------------

void Engine::handle(const InterfaceChanged& event) {
  interfaces_[event.interface.name] = event.interface;
  for (const auto& [name, members] : entries_) {
    const bool concerned = std::any_of(members.begin(), members.end(), [&](const VirtualRouter* router) {
      return router->config().key.interface == event.interface.name;
    });
    if (!concerned) continue;
    for (auto* router : members)
      if (router->config().key.interface == event.interface.name) router->observe(turn(*router));
    reconsider(members);
  }
}

void Engine::handle(const HealthChanged& event) {
  checks_[event.fact.check] = event.fact;
  for (const auto& [name, members] : entries_) {
    const auto& checks = members.front()->config().checks;
    if (std::any_of(checks.begin(), checks.end(),
                    [&](const auto& each) { return each.check == event.fact.check; }))
      reconsider(members);
  }
}

void Engine::handle(const AddressFailed& event) {
  auto* router = find(event.router);
  if (!router) return;
  router->address_failed(turn(*router), event.prefix, event.error);
  reschedule(*router);
}

// --- the configuration
// ----------------------------------------------------------------------------------------

// Virtual routers are the same if their key is: those go on with what they are, whatever else has changed.
void Engine::handle(const ConfigReplaced& event) {
  std::set<RouterKey> wanted;
  std::set<std::string> checks;
  for (const auto& config : event.routers) {
    wanted.insert(config.key);
    for (const auto& tracked : config.checks) checks.insert(tracked.check);
  }
  std::erase_if(checks_, [&](const auto& each) { return !checks.contains(each.first); });
  if (event.adopted)
    for (const auto& [name, fact] : event.adopted->checks)
      if (checks.contains(name)) checks_[name] = fact;

  for (auto& [key, router] : routers_) {
    if (wanted.contains(key)) continue;
    router->set_obstacles(turn(*router), {"removed from the configuration"});
    reschedule(*router);
  }
  entries_.clear();
  virtual_addresses_.clear();
  for (const auto& config : event.routers)
    for (const auto& prefix : config.addresses)
      virtual_addresses_[config.key.interface].insert(prefix.address);
  for (const auto& config : event.routers) {
    auto& router = routers_[config.key];
    const bool is_new = !router;
    if (is_new) router = std::make_unique<VirtualRouter>(config);
    router->set_primary_address(primary_address(config));
    router->reconfigure(turn(*router), config);
    entries_[config.name].push_back(router.get());
    if (!is_new || !event.adopted) continue;
    for (const auto& snapshot : event.adopted->routers)
      if (snapshot.key == config.key) router->adopt(turn(*router), snapshot);
  }
  for (const auto& [name, members] : entries_) {
    for (auto* router : members) router->observe(turn(*router));
    reconsider(members);
  }
  forget_removed();
}

// A virtual router that the configuration no longer has lives until its addresses are handed over.
void Engine::forget_removed() {
  std::set<const VirtualRouter*> configured;
  for (const auto& [name, members] : entries_) configured.insert(members.begin(), members.end());
  for (auto each = routers_.begin(); each != routers_.end();) {
    auto* router = each->second.get();
    if (configured.contains(router) || router->releasing()) {
      ++each;
      continue;
    }
    if (const auto known = scheduled_.find(router); known != scheduled_.end()) {
      deadlines_.erase({known->second, router});
      scheduled_.erase(known);
    }
    each = routers_.erase(each);
  }
}

// --- commands
// --------------------------------------------------------------------------------------------------

void Engine::handle(const SwitchRequested& event) {
  for (auto* router : entry(event.name)) {
    router->yield(turn(*router));
    reschedule(*router);
  }
}

void Engine::handle(const SwitchBackRequested& event) {
  for (auto* router : entry(event.name)) {
    router->take_back(turn(*router));
    reschedule(*router);
  }
}

void Engine::handle(const Shutdown&) {
  shutting_down_ = true;
  for (const auto& [name, members] : entries_) reconsider(members);
}

// --- time
// ------------------------------------------------------------------------------------------------------

void Engine::handle(const Tick&) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_) {
    auto* router = deadlines_.begin()->second;
    if (router->active_down_timer_fired(now_)) {
      const auto members = entry(router->config().name);
      switch (sync_group::take_over(*router, members, now_)) {
        case sync_group::TakeOver::together:
          for (auto* each : members) {
            const bool ready = each->active_down_timer_fired(now_) || each->waits_for_siblings();
            if (!ready) continue;
            each->take_over(turn(*each));
            reschedule(*each);
          }
          break;
        case sync_group::TakeOver::wait: router->wait_for_siblings(turn(*router)); break;
        case sync_group::TakeOver::alone: router->take_over(turn(*router)); break;
      }
    }
    router->tick(turn(*router));
    reschedule(*router);
  }
  forget_removed();
}

std::optional<TimePoint> Engine::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

// --- windows
// ---------------------------------------------------------------------------------------------------

Status Engine::status(TimePoint now) const {
  Status status{now, {}, discarded_, checks_};
  for (const auto& [key, router] : routers_) status.routers.push_back(router->status());
  return status;
}

Snapshot Engine::snapshot() const {
  Snapshot snapshot{{}, checks_};
  for (const auto& [key, router] : routers_) snapshot.routers.push_back(router->snapshot());
  return snapshot;
}

bool Engine::finished() const {
  return shutting_down_ && std::all_of(routers_.begin(), routers_.end(), [](const auto& each) {
           return each.second->state() == StateName::initialize && !each.second->releasing();
         });
}

void Engine::for_each_deadline(const std::function<void(std::size_t, TimePoint)>& visit) const {
  std::size_t index = 0;
  for (const auto& [key, router] : routers_) visit(index++, router->state_deadline());
}

// --- helpers
// ---------------------------------------------------------------------------------------------------

// Derives priority and obstacles of an entry from all facts, the same way each time.
void Engine::reconsider(const Entry& members) {
  std::vector<std::vector<std::string>> obstacles;
  for (auto* router : members) {
    const auto& config = router->config();
    router->set_primary_address(primary_address(config));
    auto priority = effective_priority(config, checks_);
    if (shutting_down_) obstacles.push_back({"vipd is stopping"});
    obstacles.push_back(interface_obstacles(interface_named(config.key.interface), config,
                                            virtual_addresses(config.key.interface)));
    obstacles.push_back(priority.initialize);
    router->set_priority(turn(*router), std::move(priority));
  }
  const auto shared = sync_group::shared_obstacles(obstacles);
  for (auto* router : members) {
    router->set_obstacles(turn(*router), shared);
    reschedule(*router);
  }
}

const VirtualAddresses& Engine::virtual_addresses(const std::string& interface) const {
  static const VirtualAddresses none;
  const auto found = virtual_addresses_.find(interface);
  return found == virtual_addresses_.end() ? none : found->second;
}

std::optional<IpAddress> Engine::primary_address(const VirtualRouterConfig& config) const {
  return vrrp::primary_address(interface_named(config.key.interface), config,
                               virtual_addresses(config.key.interface));
}

const Interface& Engine::interface_named(const std::string& name) const {
  static const Interface none;
  const auto found = interfaces_.find(name);
  return found == interfaces_.end() ? none : found->second;
}

VirtualRouter* Engine::find(const RouterKey& key) const {
  const auto found = routers_.find(key);
  return found == routers_.end() ? nullptr : found->second.get();
}

Engine::Entry Engine::entry(const std::string& name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? Entry{} : found->second;
}

Turn Engine::turn(const VirtualRouter& router) {
  return {now_, interface_named(router.config().key.interface), actions_};
}

void Engine::reschedule(VirtualRouter& router) {
  const auto deadline = router.deadline();
  const auto known = scheduled_.find(&router);
  if (known != scheduled_.end()) {
    if (deadline == known->second) return;
    deadlines_.erase({known->second, &router});
    scheduled_.erase(known);
  }
  if (!deadline) return;
  deadlines_.insert({*deadline, &router});
  scheduled_.emplace(&router, *deadline);
}

}  // namespace vipd::vrrp
