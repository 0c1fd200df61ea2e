#include "vrrp/address_keeper.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "vrrp/event_names.h"

namespace vipd::vrrp {

namespace {
using namespace std::chrono_literals;

constexpr Duration retry_after_failure = 1s;
constexpr Duration stray_interval = 1s;  // between two rounds of removals
constexpr Duration first_repair_delay = 100ms;
constexpr Duration longest_repair_delay = 5s;
constexpr Duration quiet = 60s;  // without repairs, after which the next one is immediate again

// Renewed with two thirds of the lifetime left.
Duration renewal_interval(const VirtualRouterConfig& config) {
  return config.dead_man / 3;
}

void note(const Turn& turn, const VirtualRouterConfig& config, std::string_view event, std::string text) {
  turn.act(Noted{config.key, config.name, std::string(event), std::move(text)});
}

// An address that was on the interface before vipd: an address owner's addresses are the host's own (section
// 1.1), and vipd neither adds nor removes them.
bool is_hosts_own(const VirtualRouterConfig& config, const InterfaceView& view, const Prefix& prefix) {
  if (!config.owner()) return false;
  const auto* there = view.find(prefix);
  return there && !there->ours;
}

// An address that vipd did not add and must not remove: an address owner's, or the only one by which the host
// can be reached.
bool is_lifeline(const Turn& turn, const VirtualRouterConfig& config, const InterfaceAddress& address) {
  const bool only_one =
      address.prefix.address.family == Family::ipv4 && !turn.view.primary_address(Family::ipv4, false);
  return config.owner() || only_one;
}
}  // namespace

AddressKeeper::Address* AddressKeeper::find(const Prefix& prefix) {
  const auto found = std::find_if(addresses_.begin(), addresses_.end(),
                                  [&](const Address& address) { return address.prefix == prefix; });
  return found == addresses_.end() ? nullptr : &*found;
}

// Takes the configured list, and keeps the state of addresses that stay.
void AddressKeeper::set_list(const VirtualRouterConfig& config) {
  std::vector<Address> list;
  list.reserve(config.addresses.size());
  for (std::size_t i = 0; i < config.addresses.size(); ++i) {
    const auto& prefix = config.addresses[i];
    const bool same_place = i < addresses_.size() && addresses_[i].prefix == prefix;
    const auto* known = same_place ? &addresses_[i] : find(prefix);
    list.push_back(known ? *known : Address{.prefix = prefix});
  }
  addresses_ = std::move(list);
}

void AddressKeeper::add(const Turn& turn, const VirtualRouterConfig& config, Address& address) {
  address.retry = never;
  if (is_hosts_own(config, turn.view, address.prefix)) return;
  address.requested = true;
  turn.act(Put{config.key, VirtualAddress{config.place(address.prefix), address.prefix, config.dead_man}});
}

void AddressKeeper::remove(const Turn& turn, const VirtualRouterConfig& config, Address& address) {
  address.retry = never;
  address.requested = false;
  if (!turn.interface().exists()) return;
  if (turn.view.held_by_another(address.prefix.address, config.key)) return;
  turn.act(Drop{config.key, VirtualAddress{config.place(address.prefix), address.prefix}});
}

void AddressKeeper::hold(const Turn& turn, const VirtualRouterConfig& config) {
  set_list(config);
  holding_ = true;
  lingering_ = false;
  stray_pending_ = false;
  for (auto& address : addresses_) {
    address.failing = false;
    add(turn, config, address);
  }
  renew_ = config.dead_man == Duration::zero() ? never : turn.now + renewal_interval(config);
}

void AddressKeeper::drop(const Turn& turn, const VirtualRouterConfig& config) {
  holding_ = false;
  renew_ = never;
  for (auto& address : addresses_) {
    lingering_ |= address.requested && address.seen;
    address.retry = never;
    address.failing = false;
    if (address.requested) remove(turn, config, address);
  }
  stray_removal_ = turn.now + stray_interval;
}

void AddressKeeper::adopt(const VirtualRouterConfig& config) {
  set_list(config);
  holding_ = true;
  lingering_ = false;
  for (auto& address : addresses_) address.requested = true, address.seen = true;
  renew_ = config.dead_man == Duration::zero() ? never : TimePoint::min();  // at the first tick
}

void AddressKeeper::reconfigure(const Turn& turn, const VirtualRouterConfig& before,
                                const VirtualRouterConfig& config) {
  const std::set<Prefix> wanted(config.addresses.begin(), config.addresses.end());
  for (auto& address : addresses_)
    if (address.requested && !wanted.contains(address.prefix)) remove(turn, before, address);
  const std::set<Prefix> known(before.addresses.begin(), before.addresses.end());
  set_list(config);
  if (!holding_) return;
  for (auto& address : addresses_)
    if (!known.contains(address.prefix)) add(turn, config, address);
  if (before.dead_man != config.dead_man) renew_ = turn.now;
}

Duration AddressKeeper::back_off(TimePoint now) {
  const bool calm = last_repair_ == TimePoint::min() || now - last_repair_ > quiet;
  repair_delay_ = calm ? first_repair_delay : std::min(repair_delay_ * 2, longest_repair_delay);
  last_repair_ = now;
  return repair_delay_;
}

std::vector<IpAddress> AddressKeeper::observe(const Turn& turn, const VirtualRouterConfig& config) {
  if (addresses_.empty()) set_list(config);
  std::vector<IpAddress> restored;
  std::vector<Address*> missing;
  for (auto& address : addresses_) {
    const bool was_seen = address.seen;
    address.seen = turn.view.find(address.prefix) != nullptr;
    if (address.seen == holding_) address.failing = false;
    if (holding_ && was_seen && !address.seen && address.requested) missing.push_back(&address);
  }
  if (!missing.empty()) {
    const bool may_repair_now = last_repair_ == TimePoint::min() || turn.now >= last_repair_ + repair_delay_;
    const TimePoint retry = may_repair_now ? turn.now : last_repair_ + repair_delay_;
    if (may_repair_now) back_off(turn.now);
    for (auto* address : missing) {
      ++restored_;
      if (may_repair_now) {
        add(turn, config, *address);
        restored.push_back(address->prefix.address);
      } else {
        address->retry = retry;
      }
      note(turn, config, events::address_restored,
           fmt::format("another program removed {} from {}; vipd {}", to_string(address->prefix),
                       config.place(address->prefix),
                       may_repair_now ? "has restored it" : "restores it in " + in_words(retry - turn.now)));
    }
  }
  if (!holding_) remove_strays(turn, config);
  return restored;
}

// A node that is not Active must not have a virtual address, with any prefix length.
void AddressKeeper::remove_strays(const Turn& turn, const VirtualRouterConfig& config) {
  std::vector<const InterfaceAddress*> strays;
  for (const auto& address : addresses_) {
    if (turn.view.held_by_another(address.prefix.address, config.key)) continue;
    for (const auto& each : turn.view.all_of(address.prefix.address))
      if (each.ours || !is_lifeline(turn, config, each)) strays.push_back(&each);
  }
  lingering_ = !strays.empty();
  stray_pending_ = !strays.empty() && turn.now < stray_removal_;
  if (strays.empty() || stray_pending_) return;
  stray_removal_ = turn.now + stray_interval;
  for (const auto* stray : strays) {
    turn.act(Drop{config.key, VirtualAddress{config.place(stray->prefix), stray->prefix}});
    note(turn, config, events::leftover_removed,
         fmt::format("removed {} from {}: this node is not Active", to_string(stray->prefix),
                     config.place(stray->prefix)));
  }
}

void AddressKeeper::failed(const Turn& turn, const VirtualRouterConfig& config, const Prefix& prefix,
                           const std::string& error) {
  auto* address = find(prefix);
  if (!address) return;
  if (!address->failing) note(turn, config, events::address_failed, error);
  address->failing = true;
  address->retry = turn.now + retry_after_failure;
}

std::vector<IpAddress> AddressKeeper::tick(const Turn& turn, const VirtualRouterConfig& config) {
  std::vector<IpAddress> asked_again;
  bool repaired = false;
  for (auto& address : addresses_) {
    if (address.retry > turn.now) continue;
    address.retry = never;
    if (holding_) {
      add(turn, config, address);
      asked_again.push_back(address.prefix.address);
      repaired |= !address.failing;
    } else if (address.seen) {
      remove(turn, config, address);
    }
  }
  if (repaired) back_off(turn.now);
  if (stray_pending_ && turn.now >= stray_removal_) remove_strays(turn, config);
  if (holding_ && renew_ <= turn.now) {
    renew_ = turn.now + renewal_interval(config);
    if (config.dead_man == Duration::zero()) renew_ = never;
    std::vector<Resource> due;
    for (const auto& [prefix, requested, seen, failing, retry] : addresses_)
      if (requested && retry == never)
        due.emplace_back(VirtualAddress{config.place(prefix), prefix, config.dead_man});
    if (!due.empty()) turn.act(Renew{config.key, std::move(due)});
  }
  return asked_again;
}

TimePoint AddressKeeper::deadline() const {
  TimePoint earliest = renew_;
  for (const auto& address : addresses_) earliest = std::min(earliest, address.retry);
  if (stray_pending_) earliest = std::min(earliest, stray_removal_);
  return earliest;
}

std::vector<Prefix> AddressKeeper::present() const {
  std::vector<Prefix> result;
  for (const auto& address : addresses_)
    if (address.seen) result.push_back(address.prefix);
  return result;
}

}  // namespace vipd::vrrp
