#include "programs/guardian/lease_keeper.h"

#include <fmt/format.h>
#include <net/if.h>

#include <algorithm>

#include "netlink/link_watch.h"
#include "programs/common/clock.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

// Between two looks, each of which waits for the kernel.
constexpr Duration doubtful_interval = 1s;
// The kernel reports a removal; but not, for instance, that an interface was created again with its old
// number.
constexpr Duration longest_trust = 60s;
constexpr TimePoint long_ago{1ns};
}  // namespace

// --- what is wanted -----------------------------------------------------------------------------------

void LeaseKeeper::start(const std::vector<vrrp::VirtualRouterConfig>& routers, bool leftovers) {
  for (const auto& router : routers)
    if (router.wants_lease()) configured_[router.key] = router.addresses;
  open();
  reconcile(leftovers && lease_ && !lease_->is_adopted());
}

void LeaseKeeper::configure(const std::vector<vrrp::VirtualRouterConfig>& routers) {
  configured_.clear();
  for (const auto& router : routers)
    if (router.wants_lease()) configured_[router.key] = router.addresses;
  if (!lease_ && why_not_.empty()) open();
  reconcile(false);
}

void LeaseKeeper::replace(WantedLeases wanted) {
  wanted_ = std::move(wanted);
  reconcile(false);
}

void LeaseKeeper::tell_new_router() {
  wanted_ = {};  // the previous router is gone, and so are the leases that it was giving up
  told_slots_ = false;
  tell();
}

// The leases that the configuration wants, and those that the router still wants. The router knows the
// interfaces.
LeaseKeeper::Places LeaseKeeper::places() const {
  auto places = wanted_.routers;
  for (const auto& [router, addresses] : configured_) {
    const auto [place, is_new] = places.try_emplace(router);
    if (is_new) place->second.interface_index = if_nametoindex(router.interface.c_str());
    auto& list = place->second.addresses;
    for (const auto& prefix : addresses)
      if (std::find(list.begin(), list.end(), prefix) == list.end()) list.push_back(prefix);
  }
  return places;
}

// --- into the kernel ----------------------------------------------------------------------------------

// Opening it continues with the leases that are there, which may be another vipd's.
Result<std::unique_ptr<netlink::Lease>> LeaseKeeper::open_claimed() {
  const auto claimed = reservations_.take_lease();
  if (!claimed && claimed.error().code == EADDRINUSE) return tl::unexpected(claimed.error());
  if (!claimed) log_.warning(claimed.error().message);
  return netlink::open_lease();
}

void LeaseKeeper::let_go() {
  events_.reset();
  lease_.reset();
  reservations_.give_lease_back();
}

void LeaseKeeper::open() {
  auto lease = open_claimed();
  if (lease) {
    lease_ = std::move(*lease);
    if (auto guarded = lease_->guarded()) guarded_ = std::move(*guarded);
    if (auto attached = lease_->interfaces()) attached_ = std::move(*attached);
    told_slots_ = false;
    in_place_.clear();
    events_ = loop_.watch(lease_->events_fd(), [this] { touched(); });
    look_again_ = now() + longest_trust;
    return;
  }
  if (configured_.empty()) return;
  why_not_ = lease.error().message;
  log_.warning(
      fmt::format("no lease in the kernel: {}; if all programs of vipd die or hang at once, addresses stay "
                  "until dead_man",
                  why_not_));
}

// New ones come first, so that no address that needs a lease is ever without one.
void LeaseKeeper::reconcile(bool leftovers) {
  if (lease_) {
    const auto wanted_places = places();
    give_slots(wanted_places);
    const auto wanted = addresses();
    guard(wanted);
    if (leftovers) mistrust_leftovers();
    for (const auto& [index, name] : interfaces())
      if (!in_place_.contains(index)) attach(index, name);
    release(wanted);
    detach();
    if (guards_.empty()) let_go();
  }
  tell();
}

void LeaseKeeper::give_slots(const Places& places) {
  for (auto guard = guards_.begin(); guard != guards_.end();) {
    if (places.contains(guard->first)) {
      ++guard;
      continue;
    }
    lease_->slots().clear(guard->second.slot);
    guard = guards_.erase(guard);
  }
  for (const auto& [router, place] : places) {
    auto found = guards_.find(router);
    if (found == guards_.end()) {
      const auto slot = choose_slot(place);
      if (slot == netlink::LeaseSlots::size()) {
        told_why_not(router.interface, fmt::format("there is room for only {} virtual routers", slot));
        continue;
      }
      found = guards_.emplace(router, Guard{slot, 0, {}}).first;
    }
    found->second.interface_index = place.interface_index;
    found->second.addresses = place.addresses;
  }
}

// The slot in which a predecessor had the addresses, with its lease; of several the one whose lease ended
// first. Else a free one.
std::uint32_t LeaseKeeper::choose_slot(const WantedLeases::Place& place) const {
  std::set<std::uint32_t> used;
  for (const auto& [router, guard] : guards_) used.insert(guard.slot);
  auto& slots = lease_->slots();
  std::uint32_t chosen = netlink::LeaseSlots::size();
  for (const auto& prefix : place.addresses) {
    const auto known = guarded_.find({place.interface_index, prefix.address});
    if (known == guarded_.end() || used.contains(known->second)) continue;
    if (chosen == netlink::LeaseSlots::size()) chosen = known->second;
    const auto until = slots.until(known->second);
    const auto chosen_until = slots.until(chosen);
    if (until != TimePoint{} && (chosen_until == TimePoint{} || until < chosen_until))
      slots.set(chosen, until);
  }
  if (chosen != netlink::LeaseSlots::size()) return chosen;
  for (const auto& [address, slot] : guarded_) used.insert(slot);
  for (chosen = 0; chosen < netlink::LeaseSlots::size() && used.contains(chosen);) ++chosen;
  slots.clear(chosen);
  return chosen;
}

netlink::Lease::Addresses LeaseKeeper::addresses() const {
  netlink::Lease::Addresses wanted;
  const auto add = [&](const Guard& guard, const std::vector<Prefix>& list) {
    if (guard.interface_index == 0) return;
    for (const auto& prefix : list) wanted.try_emplace({guard.interface_index, prefix.address}, guard.slot);
  };
  // An address that a reload moves belongs to its new virtual router from now on.
  for (const auto& [router, list] : configured_)
    if (const auto guard = guards_.find(router); guard != guards_.end()) add(guard->second, list);
  for (const auto& [router, guard] : guards_) add(guard, guard.addresses);
  return wanted;
}

void LeaseKeeper::guard(const netlink::Lease::Addresses& wanted) {
  for (const auto& [address, slot] : wanted) {
    const auto known = guarded_.find(address);
    if (known != guarded_.end() && known->second == slot) continue;
    if (const auto done = lease_->guard(address, slot); !done)
      log_.write_limited(Level::warning, "lease", fmt::format("no lease: {}", done.error().message));
    else
      guarded_[address] = slot;
  }
}

void LeaseKeeper::release(const netlink::Lease::Addresses& wanted) {
  std::erase_if(guarded_, [&](const auto& each) {
    if (wanted.contains(each.first)) return false;
    const auto done = lease_->release(each.first);
    if (!done) log_.write_limited(Level::warning, "lease", done.error().message);
    return done.has_value();
  });
}

// Addresses that a predecessor has added and that no router manages.
void LeaseKeeper::mistrust_leftovers() {
  auto kernel = netlink::LinkWatch::open();
  if (!kernel) return log_.warning(kernel.error().message);
  const auto look = [&](const Interface& interface) {
    for (const auto& each : interface.addresses) {
      const auto found = guarded_.find({interface.index, each.prefix.address});
      if (each.ours && found != guarded_.end()) lease_->slots().set(found->second, long_ago);
    }
  };
  if (const auto read = kernel->refresh(look); !read) log_.warning(read.error().message);
}

// --- interfaces ---------------------------------------------------------------------------------------

std::map<std::uint32_t, std::string> LeaseKeeper::interfaces() const {
  std::map<std::uint32_t, std::string> all;
  for (const auto& [router, guard] : guards_)
    if (guard.interface_index != 0) all[guard.interface_index] = router.interface;
  return all;
}

void LeaseKeeper::touched() {
  const auto received = lease_->receive_events([this](std::uint32_t index) {
    if (index == 0)
      doubt_all();
    else if (in_place_.erase(index) > 0)
      doubtful_.insert(index);
  });
  if (!received) log_.write_limited(Level::warning, "lease", received.error().message);
  if (!doubtful_.empty()) look_again_ = std::min(look_again_, looked_ + doubtful_interval);
}

void LeaseKeeper::doubt_all() {
  doubtful_.merge(in_place_);
  in_place_.clear();
}

void LeaseKeeper::attach(std::uint32_t index, const std::string& name) {
  const bool taken_off = doubtful_.erase(index) > 0;
  const auto changed = lease_->attach(index);
  if (!changed) {
    attached_.erase(index);
    in_place_.erase(index);
    if (changed.error().code == ENODEV) return;  // the router reports that it has gone
    look_again_ = std::min(look_again_, now() + doubtful_interval);
    told_why_not(name, changed.error().message);
    return;
  }
  if (*changed && taken_off)
    log_.warning(
        fmt::format("another program removed the program of the lease from {}; vipd has restored it", name));
  attached_.insert(index);
  in_place_.insert(index);
  refused_.erase(name);
}

void LeaseKeeper::detach() {
  const auto needed = interfaces();
  std::erase_if(attached_, [&](std::uint32_t index) {
    if (needed.contains(index)) return false;
    if (const auto detached = lease_->detach(index); !detached) log_.warning(detached.error().message);
    in_place_.erase(index);
    return true;
  });
}

void LeaseKeeper::told_why_not(const std::string& interface, const std::string& why_not) {
  auto& told = refused_[interface];
  if (told == why_not) return;
  told = why_not;
  log_.warning(fmt::format("no lease on {}: {}", interface, why_not));
}

void LeaseKeeper::tick(TimePoint time) {
  if (!lease_ || time < look_again_) return;
  if (time - looked_ >= longest_trust) doubt_all();
  looked_ = time;
  look_again_ = time + longest_trust;
  const auto refused = refused_;
  for (const auto& [index, name] : interfaces())
    if (!in_place_.contains(index)) attach(index, name);
  doubtful_.clear();
  if (refused != refused_) tell();
}

// --- the leases ---------------------------------------------------------------------------------------

void LeaseKeeper::renew(const vrrp::RouterKey& router, TimePoint until) {
  const auto guard = guards_.find(router);
  if (lease_ && guard != guards_.end()) lease_->slots().set(guard->second.slot, until);
}

void LeaseKeeper::end(const vrrp::RouterKey& router) {
  const auto guard = guards_.find(router);
  if (lease_ && guard != guards_.end()) lease_->slots().clear(guard->second.slot);
}

Leases LeaseKeeper::leases() const {
  Leases all;
  for (const auto& [router, addresses] : configured_) {
    const auto guard = guards_.find(router);
    const auto refused = refused_.find(router.interface);
    if (!why_not_.empty())
      all.why_not[router] = why_not_;
    else if (refused != refused_.end())
      all.why_not[router] = refused->second;
    else if (guard == guards_.end() || guard->second.interface_index == 0)
      all.why_not[router] = "the interface does not exist";
  }
  for (const auto& [router, guard] : guards_) all.slots[router] = guard.slot;
  return all;
}

void LeaseKeeper::tell() {
  if (!lease_ || told_slots_) return tell_(leases(), -1);
  tell_(leases(), lease_->slots_fd());
  told_slots_ = true;
}

void LeaseKeeper::close() {
  if (!lease_) return;
  const auto attached = lease_->interfaces();
  if (!attached) return log_.warning(attached.error().message);
  const auto names = interfaces();
  for (const auto index : *attached) {
    const bool held = std::any_of(guards_.begin(), guards_.end(), [&](const auto& each) {
      return each.second.interface_index == index && lease_->slots().until(each.second.slot) != TimePoint{};
    });
    if (held) {
      log_.warning(fmt::format(
          "cannot remove addresses on {}: the program of the lease stays, so that this node does not "
          "answer for them",
          names.contains(index) ? names.at(index) : std::to_string(index)));
      continue;
    }
    if (const auto detached = lease_->detach(index); !detached) log_.warning(detached.error().message);
  }
  let_go();
}

}  // namespace vipd::programs
