// The inputs of a virtual router besides the packets of section 6.4: a new priority or configuration, a
// command to switch, and what the interface and other hosts do to its addresses.
#include <fmt/format.h>

#include <algorithm>

#include "vrrp/event_names.h"
#include "vrrp/virtual_router.h"

namespace vipd::vrrp {

bool VirtualRouter::set_priority(const Turn& turn, EffectivePriority priority) {
  const auto before = priority_.value;
  priority_ = std::move(priority);
  const auto after = priority_.value;
  if (before == after) return false;
  if (state() != StateName::initialize)
    note(turn, events::priority_changed, fmt::format("priority {} -> {}", before, after));
  if (auto* active = std::get_if<Active>(&state_)) {
    send_and_rearm(turn, *active);  // a better Backup learns of it at once
    return true;
  }
  if (auto* backup = std::get_if<Backup>(&state_)) {
    // A higher priority shortens what is left of the timer; a lower one counts from the next advertisement
    // on, unless it makes the last one good.
    if (peer_ && before > peer_->priority && after <= peer_->priority) follow_the_last_heard(*backup);
    if (after <= backup->timed_for || defences_.on_trial()) return false;
    const auto gain = skew_time(backup->timed_for, backup->active_adver_interval) -
                      skew_time(after, backup->active_adver_interval);
    backup->active_down_timer = std::max(turn.now, backup->active_down_timer - gain);
    backup->timed_for = after;
  }
  return false;
}

// As if our priority had been as low as now when we heard the Active that we were about to replace: else both
// nodes of a pair whose health fails together would be Active for a moment.
void VirtualRouter::follow_the_last_heard(Backup& backup) {
  const auto theirs = defences_.interval_of(peer_->address, config_);
  const auto timer = peer_->heard + active_down_interval(priority_.value, theirs);
  if (timer <= backup.active_down_timer) return;
  const bool known = backup.followed && backup.followed->address == peer_->address;
  const auto best = known ? std::max(backup.followed->best, peer_->priority) : peer_->priority;
  backup.followed = Followed{peer_->address, best, peer_->priority, peer_->heard};
  backup.active_adver_interval = theirs;
  backup.active_down_timer = timer;
  backup.timed_for = priority_.value;
}

void VirtualRouter::observe(const Turn& turn) {
  for (const auto& address : addresses_.observe(turn, config_)) Announcer::announce(turn, config_, address);
  counters_.addresses_restored = addresses_.restored();
}

void VirtualRouter::address_claimed(const Turn& turn, const IpAddress& address, const MacAddress& mac,
                                    std::uint32_t times) {
  auto* active = std::get_if<Active>(&state_);
  if (!active || mac == turn.interface().mac) return;
  counters_.address_claims += times;
  active->claims.heard(turn.now, config_, address, mac, times);
}

// A claim by another router of the group is no conflict: the router that wins announces again anyway.
void VirtualRouter::defend(const Turn& turn, Active& active) {
  const bool peer_speaks = peer_ && turn.now - peer_->heard < silence_of_peer() + Claims::grace(config_);
  const auto claimed = active.claims.take(turn.now, peer_speaks);
  if (claimed.empty()) return;
  const auto& last = *active.claims.last();
  std::string who =
      last.mac == MacAddress{} ? "another host" : "the host with MAC address " + to_string(last.mac);
  if (last.mac == virtual_router_mac(config_.key.family, config_.key.vrid))
    who += " (that of a VRRP router with this VRID)";
  note(turn, events::address_conflict,
       fmt::format(
           "{} claims {}{} ({} time{} so far), and this node hears no other router of this VRID. This node "
           "announces its addresses again, at most every 10 s. If the other host is a node of this group, IP "
           "protocol 112 does not get through; if not, remove the address from it",
           who, to_string(last.address),
           claimed.size() > 1 ? fmt::format(" and {} more", claimed.size() - 1) : "", last.times,
           last.times == 1 ? "" : "s"));
  for (const auto& address : claimed) Announcer::announce(turn, config_, address);
}

void VirtualRouter::sender_identified(const Turn& turn, const IpAddress& sender, const MacAddress& mac) {
  if (!defences_.identified(sender, mac)) return;
  note(turn, events::sender_identified,
       fmt::format("{} claims to be Active again, as it has done falsely before", defences_.name_of(sender)));
}

void VirtualRouter::address_failed(const Turn& turn, const Prefix& prefix, const std::string& error) {
  addresses_.failed(turn, config_, prefix, error);
}

// Priority, interval and addresses change in one advertisement: one in between would be wrong.
void VirtualRouter::reconfigure(const Turn& turn, VirtualRouterConfig config, EffectivePriority priority) {
  if (config == config_) return;
  const auto before = std::exchange(config_, std::move(config));
  addresses_.reconfigure(turn, before, config_);
  const bool advertised = set_priority(turn, std::move(priority));
  if (auto* backup = std::get_if<Backup>(&state_); backup && before.preempt_mode && !config_.preempt_mode)
    if (peer_ && peer_->priority != release_priority) follow_the_last_heard(*backup);
  if (auto* active = std::get_if<Active>(&state_)) {
    if (!advertised && (before.advertisement_interval != config_.advertisement_interval ||
                        before.addresses != config_.addresses))
      send_and_rearm(turn, *active);
    const bool more =
        std::any_of(config_.addresses.begin(), config_.addresses.end(), [&](const Prefix& each) {
          return std::find(before.addresses.begin(), before.addresses.end(), each) == before.addresses.end();
        });
    if (more)
      active->announcer.start(turn, config_);
    else if (before.announce != config_.announce)
      active->announcer.reconfigure(turn.now, config_);
    else if (before.addresses != config_.addresses)
      active->announcer.restart_round();
  }
}

void VirtualRouter::yield(const Turn& turn) {
  if (state() != StateName::active) return;
  note(turn, events::switched, "handed over to the peer by command");
  send(turn, release_priority);
  release_.begin();  // without a successor the addresses stay until we are Active again
  yielded_ = true;
  become_backup(turn, interval(), "switched to the peer by command");
}

void VirtualRouter::take_back(const Turn& turn) {
  if (!std::exchange(yielded_, false)) return;
  note(turn, events::switched, "takes part by priority again, by command");
  auto* backup = std::get_if<Backup>(&state_);
  if (!backup || !backup->followed || !peer_ || peer_->priority >= priority_.value) return;
  // As after a fall: the command replaces the lower Active, whatever Preempt_Mode.
  backup->followed->best = owner_priority;
  shorten_timer(*backup, turn.now);
}

}  // namespace vipd::vrrp
