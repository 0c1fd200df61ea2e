// The visible state of a virtual router: its deadlines and lease, the status for people, and the snapshot
// that a successor program adopts.
#include <fmt/format.h>

#include <algorithm>

#include "vrrp/event_names.h"
#include "vrrp/virtual_router.h"

namespace vipd::vrrp {

void VirtualRouter::adopt(const Turn& turn, const RouterSnapshot& snapshot) {
  counters_ = snapshot.counters;
  priority_.value = snapshot.priority;
  peer_ = snapshot.peer;
  defences_.adopt(turn.now, config_, snapshot);
  since_ = snapshot.since;
  reason_ = snapshot.reason;
  yielded_ = snapshot.yielded;
  if (snapshot.state == StateName::active) {
    const auto advertised = snapshot.deadline - snapshot.active_adver_interval;
    state_ = Active{.adver_timer = snapshot.deadline, .advertised = advertised};
    std::get<Active>(state_).announcer.adopt(turn.now, config_, snapshot.announced);
  } else if (snapshot.state == StateName::backup) {
    // No program was listening for a while: the timer starts again.
    Backup backup{.active_down_timer = turn.now, .active_adver_interval = snapshot.active_adver_interval};
    if (peer_ && peer_->priority >= priority_.value)
      backup.followed = Followed{peer_->address, peer_->priority, peer_->priority, peer_->heard};
    restart_timer(turn, backup);
    state_ = backup;
  }
  // If a Backup's Active_Down_Timer has expired meanwhile, another node has taken the addresses it was
  // handing over.
  const bool too_late = snapshot.state == StateName::backup && snapshot.deadline <= turn.now;
  if (snapshot.state == StateName::active || (snapshot.release_until && !too_late)) {
    addresses_.adopt(config_);
    release_.adopt(snapshot.release_until);
  }
  if (snapshot.state != StateName::initialize)
    note(turn, events::adopted,
         fmt::format("continues as {} where the previous router program stopped", to_string(state())));
  // This must precede whatever the configuration makes the router send. Peers time by the interval that the
  // predecessor advertised, not by that of the configuration now.
  if (snapshot.state == StateName::active && replaced_since(turn.now, snapshot.active_adver_interval))
    withdraw_stalled(turn);
}

bool VirtualRouter::accepts(ChecksumForm form) const {
  if (config_.key.family == Family::ipv6 || config_.checksum == ChecksumMode::automatic) return true;
  return (form == ChecksumForm::rfc9568) == (config_.checksum == ChecksumMode::rfc9568);
}

StateName VirtualRouter::state() const {
  return static_cast<StateName>(state_.index());
}

bool VirtualRouter::waits_for_siblings() const {
  const auto* backup = std::get_if<Backup>(&state_);
  return backup && backup->waits_for_siblings;
}

TimePoint VirtualRouter::state_deadline() const {
  if (const auto* backup = std::get_if<Backup>(&state_)) return backup->active_down_timer;
  if (const auto* active = std::get_if<Active>(&state_)) return active->adver_timer;
  return never;
}

std::optional<TimePoint> VirtualRouter::deadline() const {
  auto earliest = std::min({state_deadline(), addresses_.deadline(), release_.deadline(interval())});
  if (const auto* active = std::get_if<Active>(&state_))
    earliest = std::min({earliest, active->announcer.deadline(), active->claims.deadline()});
  if (earliest == never) return std::nullopt;
  return earliest;
}

std::optional<TimePoint> VirtualRouter::lease(TimePoint now) const {
  if (const auto* active = std::get_if<Active>(&state_))
    return active->advertised + defences_.lease(interval());
  if (releasing()) return release_.lease(now, state_deadline());
  if (addresses_.lingering()) return std::nullopt;
  return TimePoint{};
}

RouterStatus VirtualRouter::status(TimePoint now) const {
  RouterStatus status;
  status.config = config_;
  status.state = state();
  status.priority = priority_.value;
  status.since = since_;
  status.reason = reason_;
  status.obstacles = obstacles_;
  status.explanation = priority_.explanation;
  status.primary_address = primary_address_;
  const auto* backup = std::get_if<Backup>(&state_);
  status.active_adver_interval = backup ? backup->active_adver_interval : interval();
  if (state_deadline() != never) status.deadline = state_deadline();
  status.peer = peer_;
  if (backup && backup->followed) status.followed = backup->followed->address;
  status.checksum = checksum();
  status.yielded = yielded_;
  status.on_trial = backup && defences_.on_trial();
  status.releasing = releasing();
  if (const auto* active = std::get_if<Active>(&state_)) status.claim = active->claims.last();
  status.deaf_peer = deaf_peer(now);
  status.addresses_present = addresses_.present();
  status.counters = counters_;
  return status;
}

RouterSnapshot VirtualRouter::snapshot() const {
  RouterSnapshot snapshot;
  snapshot.key = config_.key;
  snapshot.state = state();
  snapshot.priority = priority_.value;
  snapshot.since = since_;
  snapshot.reason = reason_;
  const auto* backup = std::get_if<Backup>(&state_);
  snapshot.active_adver_interval = backup ? backup->active_adver_interval : interval();
  snapshot.deadline = state_deadline();
  snapshot.peer = peer_;
  if (const auto* active = std::get_if<Active>(&state_)) snapshot.announced = active->announcer.rounds_done();
  snapshot.yielded = yielded_;
  snapshot.release_until = release_.until();
  snapshot.checksum_heard = defences_.checksum_heard();
  snapshot.counters = counters_;
  return snapshot;
}

}  // namespace vipd::vrrp
