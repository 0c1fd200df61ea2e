#include "vrrp/engine.h"

#include <fmt/format.h>

#include <algorithm>
#include <cassert>

#include "vrrp/sync_group.h"

namespace vipd::vrrp {

std::string to_string(const RouterKey& key) {
  return fmt::format("VRID {} on {} ({})", key.vrid, key.interface, vipd::to_string(key.family));
}

Actions Engine::step(TimePoint now, const Input& event) {
  assert(now >= now_);
  now_ = now;
  if (!std::holds_alternative<AdvertisementsHeld>(event)) withdraw_stalled();
  std::visit([this](const auto& each) { handle(each); }, event);
  forget_removed();
  return std::exchange(actions_, {});
}

// Before anything else, whatever the input: an Active that stalled is no longer Active.
void Engine::withdraw_stalled() {
  std::vector<VirtualRouter*> stalled;
  for (const auto& [deadline, router] : deadlines_) {
    if (deadline > now_) break;
    if (router->stalled(now_)) stalled.push_back(router);
  }
  for (auto* router : stalled) {
    router->withdraw_stalled(turn(*router));
    reschedule(*router);
  }
}

// --- a packet comes in ---

void Engine::handle(const DatagramReceived& event) {
  if (view(event.interface).is_own(event.source)) return discard(event, DecodeError::own_packet, nullptr);
  const auto decoded =
      decode({event.source, event.destination, event.hop_limit, event.payload, event.truncated});
  // The VRID of a bad packet may be wrong, but is good enough for a counter.
  VirtualRouter* router =
      event.payload.size() >= 2 ? find({event.interface, event.payload[1], event.source.family}) : nullptr;
  if (!decoded) return discard(event, decoded.error(), router);
  if (!router) return discard(event, DecodeError::vrid, nullptr);
  if (!router->accepts(decoded->checksum)) return discard(event, DecodeError::checksum, router);
  const bool active_for_another = sync_group::active_for_another(*router, entry(router->config().name));
  router->advertisement_received(turn(*router), event.source, *decoded, active_for_another);
  reschedule(*router);
}

void Engine::discard(const DatagramReceived& event, DecodeError error, VirtualRouter* router) {
  if (router)
    router->count_discard(error);
  else
    ++discarded_[event.interface][static_cast<std::size_t>(error)];
  actions_.push_back(AdvertisementDiscarded{event.interface, event.source, error});
}

// --- facts ---

void Engine::handle(const InterfaceChanged& event) {
  auto& changed = view(event.interface.name);
  // The interface was deleted and created again under the same name, without a notification in between.
  if (changed.interface().exists() && event.interface.exists() &&
      changed.interface().index != event.interface.index)
    update(changed, Interface{.name = event.interface.name});
  update(changed, event.interface);
}

// Updates the virtual routers that a change concerns: all on the interface if its usability has changed,
// otherwise those whose addresses came or went.
void Engine::update(InterfaceView& changed, const Interface& interface) {
  const auto difference = changed.update(interface);
  std::set<std::string> to_reconsider;
  if (difference.usability)
    for (const auto* router : changed.routers()) to_reconsider.insert(router->config().name);
  for (const auto& name : to_reconsider) reconsider(entry(name));
  if (difference.usability)  // a removed virtual router has no entry, but holds addresses
    for (const auto& key : removed_)
      if (auto& router = *routers_.at(key); router.config().path() == interface.name) {
        router.set_obstacles(turn(router), router.obstacles());
        reschedule(router);
      }
  std::map<RouterKey, VirtualRouter*> users;
  for (const auto& address : difference.addresses)
    for (auto* router : changed.users(address)) users.emplace(router->config().key, router);
  for (const auto& [key, router] : users) {
    router->observe(turn(*router));
    reschedule(*router);
  }
}

void Engine::handle(const HealthChanged& event) {
  checks_[event.fact.check] = event.fact;
  const auto concerned = entries_of_check_.find(event.fact.check);
  if (concerned == entries_of_check_.end()) return;
  for (const auto& name : concerned->second) reconsider(entry(name));
}

void Engine::handle(const AddressFailed& event) {
  auto* router = find(event.router);
  if (!router) return;
  router->address_failed(turn(*router), event.prefix, event.error);
  reschedule(*router);
}

void Engine::handle(const SenderIdentified& event) {
  for (auto* router : view(event.interface).routers())
    if (router->config().key.family == event.sender.family)
      router->sender_identified(turn(*router), event.sender, event.mac);
}

void Engine::handle(const AddressClaimed& event) {
  for (auto* router : view(event.interface).users(event.address)) {
    router->address_claimed(turn(*router), event.address, event.mac, event.times);
    reschedule(*router);
  }
}

// --- the configuration ---

// Virtual routers with the same key are the same: they keep their state, whatever else has changed.
void Engine::handle(const ConfigReplaced& event) {
  std::map<RouterKey, const RouterSnapshot*> adopted;
  if (event.adopted)
    for (const auto& snapshot : event.adopted->routers) adopted[snapshot.key] = &snapshot;
  expect_new_checks(event);

  std::set<RouterKey> wanted;
  for (const auto& config : event.routers) wanted.insert(config.key);
  for (const auto& [key, router] : routers_) {
    if (wanted.contains(key)) continue;
    removed_.insert(key);
    router->set_obstacles(turn(*router), {"removed from the configuration"});
    reschedule(*router);
  }
  entries_.clear();
  for (const auto& config : event.routers) {
    removed_.erase(config.key);
    auto* router = find(config.key);
    if (router) {
      router->reconfigure(turn(*router), config, effective_priority(config, checks_));
    } else {
      const auto snapshot = adopted.find(config.key);
      router = &create(config, snapshot == adopted.end() ? nullptr : snapshot->second);
    }
    entries_[config.name].push_back(router);
  }
  index();
  for (const auto& [name, members] : entries_) {
    for (auto* router : members) router->observe(turn(*router));
    reconsider(members);
  }
}

// At start-up a check without a result counts as down. A check that is added while its virtual router runs
// counts as up until its first result; otherwise every reload that adds a check would move the addresses. A
// check that existed before and still has no result is not new.
void Engine::expect_new_checks(const ConfigReplaced& event) {
  auto awaited = awaited_checks();
  if (event.adopted) awaited.insert(event.adopted->awaited.begin(), event.adopted->awaited.end());
  std::set<std::string> configured;
  for (const auto& config : event.routers)
    for (const auto& tracked : config.checks) configured.insert(tracked.check);
  std::erase_if(checks_, [&](const auto& each) { return !configured.contains(each.first); });
  if (event.adopted)
    for (const auto& [name, fact] : event.adopted->checks)
      if (configured.contains(name)) checks_[name] = fact;

  std::set<RouterKey> running;
  for (const auto& [key, router] : routers_)
    if (router->state() != StateName::initialize) running.insert(key);
  if (event.adopted)
    for (const auto& snapshot : event.adopted->routers)
      if (snapshot.state != StateName::initialize) running.insert(snapshot.key);
  for (const auto& config : event.routers) {
    if (!running.contains(config.key)) continue;
    for (const auto& tracked : config.checks)
      if (!checks_.contains(tracked.check) && !awaited.contains(tracked.check))
        checks_[tracked.check] = {tracked.check, true, {}, "no result yet (added by a reload)", now_};
  }
}

std::set<std::string> Engine::awaited_checks() const {
  std::set<std::string> awaited;
  for (const auto& [key, router] : routers_)
    for (const auto& tracked : router->config().checks)
      if (!checks_.contains(tracked.check)) awaited.insert(tracked.check);
  return awaited;
}

VirtualRouter& Engine::create(const VirtualRouterConfig& config, const RouterSnapshot* adopted) {
  auto& router = *(routers_[config.key] = std::make_unique<VirtualRouter>(config));
  if (adopted) router.adopt(turn(router), *adopted);
  return router;
}

void Engine::index() {
  entries_of_check_.clear();
  for (const auto& [name, members] : entries_)
    for (const auto& tracked : members.front()->config().checks)
      entries_of_check_[tracked.check].push_back(name);
  std::map<std::string, std::vector<VirtualRouter*>> routers;
  for (const auto& [key, router] : routers_) routers[router->config().path()].push_back(router.get());
  for (auto& [name, each] : views_) each.set_routers(std::exchange(routers[name], {}));
  for (auto& [name, on_it] : routers)
    if (!on_it.empty()) view(name).set_routers(std::move(on_it));
}

// A virtual router removed from the configuration lives until its addresses are handed over.
void Engine::forget_removed() {
  const auto forgotten = std::erase_if(removed_, [&](const RouterKey& key) {
    auto* router = find(key);
    if (router->releasing()) return false;
    if (const auto known = scheduled_.find(router); known != scheduled_.end()) {
      deadlines_.erase({known->second, router});
      scheduled_.erase(known);
    }
    routers_.erase(key);
    return true;
  });
  if (forgotten > 0) index();
}

// --- commands ---

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

// --- time ---

// The stall fence applies to all other virtual routers, as with any other input.
void Engine::handle(const AdvertisementsHeld& event) {
  for (const auto& [key, due] : event.due)
    if (auto* router = find(key)) {
      router->advertisements_held(due);
      reschedule(*router);
    }
  withdraw_stalled();
}

void Engine::handle(const Tick&) {
  while (!deadlines_.empty() && deadlines_.begin()->first <= now_) {
    auto& router = *deadlines_.begin()->second;
    if (router.overslept(now_))
      router.listen_again(turn(router));
    else if (router.active_down_timer_fired(now_))
      fire_active_down_timer(router);
    router.tick(turn(router));
    reschedule(router);
  }
}

void Engine::fire_active_down_timer(VirtualRouter& router) {
  const auto members = entry(router.config().name);
  switch (sync_group::take_over(router, members, now_)) {
    case sync_group::TakeOver::together:
      for (auto* each : members) {
        const bool ready = each->active_down_timer_fired(now_) || each->waits_for_siblings();
        if (!ready) continue;
        each->take_over(turn(*each));
        reschedule(*each);
      }
      break;
    case sync_group::TakeOver::wait: router.wait_for_siblings(turn(router)); break;
    case sync_group::TakeOver::alone: router.take_over(turn(router)); break;
  }
}

std::optional<TimePoint> Engine::next_deadline() const {
  if (deadlines_.empty()) return std::nullopt;
  return deadlines_.begin()->first;
}

// --- windows ---

Status Engine::status(TimePoint now) const {
  Status status{now, {}, discarded_, checks_};
  status.routers.reserve(routers_.size());
  for (const auto& [key, router] : routers_) status.routers.push_back(router->status(now));
  return status;
}

std::map<RouterKey, Measurements> Engine::measurements() const {
  std::map<RouterKey, Measurements> all;
  for (const auto& [key, router] : routers_) all.emplace(key, router->measurements());
  return all;
}

Snapshot Engine::snapshot() const {
  const auto awaited = awaited_checks();
  Snapshot snapshot{{}, checks_, {awaited.begin(), awaited.end()}};
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

void Engine::for_each_lease(
    TimePoint now, const std::function<void(const RouterKey&, std::optional<TimePoint>)>& visit) const {
  for (const auto& [key, router] : routers_) visit(key, router->lease(now));
}

// --- helpers ---

// Derives priority and obstacles of an entry from all facts, the same way each time.
void Engine::reconsider(const Entry& members) {
  std::vector<std::vector<std::string>> obstacles;
  for (auto* router : members) {
    const auto& config = router->config();
    const auto& on = view(config.path());
    router->set_primary_address(on.primary_address(config.key.family, config.owner()));
    auto priority = effective_priority(config, checks_);
    if (shutting_down_) obstacles.push_back({std::string(stopping)});
    obstacles.push_back(on.obstacles(config.key.family, config.owner()));
    obstacles.push_back(priority.initialize);
    router->set_priority(turn(*router), std::move(priority));
  }
  const auto shared = sync_group::shared_obstacles(obstacles);
  for (auto* router : members) {
    router->set_obstacles(turn(*router), shared);
    reschedule(*router);
  }
}

InterfaceView& Engine::view(const std::string& interface) {
  return views_.try_emplace(interface, interface).first->second;
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
  return {now_, view(router.config().path()), actions_};
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
