#include "vrrp/virtual_router.h"

#include <fmt/format.h>

#include <algorithm>

#include "vrrp/event_names.h"
#include "vrrp/transmission.h"

namespace vipd::vrrp {

namespace {
using namespace std::chrono_literals;

// At most four immediate answers (section 6.4.3) per interval: otherwise two routers that both believe to be
// the better one would answer each other at line rate, and a flood would cause another. But the first two are
// sent at once: to an inferior Active, and to its last advertisement, after which it waits for an answer.
constexpr int answers_per_interval = 4;

std::string join(const std::vector<std::string>& parts) {
  return fmt::format("{}", fmt::join(parts, "; "));
}

}  // namespace

VirtualRouter::VirtualRouter(VirtualRouterConfig config) : config_(std::move(config)) {
  priority_.value = config_.priority;
}

// --- 6.4.1 Initialize: Startup, and Shutdown of the two other states

void VirtualRouter::set_obstacles(const Turn& turn, std::vector<std::string> obstacles) {
  obstacles_ = std::move(obstacles);
  if (since_ == TimePoint{}) since_ = turn.now;
  const bool in_initialize = state() == StateName::initialize;
  if (obstacles_.empty() && in_initialize) {
    if (releasing()) release_.begin();  // no successor has come
    if (config_.owner())
      become_active(turn, Reason::owner, "address owner: priority 255");
    else
      become_backup(turn, interval(), "started");
    return;
  }
  if (obstacles_.empty()) return;
  const bool usable = turn.interface().running && primary_address_.has_value();
  // A Backup that still serves has sent its farewell once: a router that has started since then did not hear
  // it.
  if (usable && (state() == StateName::active || (!in_initialize && releasing())))
    send(turn, release_priority);
  if (in_initialize) {
    const auto reason = join(obstacles_);
    if (reason_ != reason && obstacles_.front() != stopping)
      note(turn, events::obstructed, "stays in Initialize: " + reason);
    reason_ = reason;
  } else {
    if (state() == StateName::active && usable) release_.begin();
    enter(turn, Initialize{}, join(obstacles_));
  }
  if (releasing() && !release_.bounded()) release_.bound(turn.now, interval());
  if (!in_initialize && !releasing()) addresses_.drop(turn, config_);
  if (releasing() && !usable) end_release(turn);
}

// --- 6.4.2 Backup

void VirtualRouter::become_backup(const Turn& turn, Duration active_adver_interval, const std::string& reason,
                                  std::optional<Followed> followed) {
  Backup backup{
      .active_down_timer = turn.now, .active_adver_interval = active_adver_interval, .followed = followed};
  restart_timer(turn, backup);
  enter(turn, backup, reason);
  if (!releasing()) addresses_.drop(turn, config_);
}

void VirtualRouter::restart_timer(const Turn& turn, Backup& backup) {
  backup.active_down_timer = turn.now + active_down_interval(priority_.value, backup.active_adver_interval);
  backup.timed_for = priority_.value;
}

// Sets it to Skew_Time, so that the best Backup comes first. An earlier deadline stays: a repeated farewell
// must not postpone it.
void VirtualRouter::shorten_timer(Backup& backup, TimePoint from) {
  const auto deadline = from + skew_time(priority_.value, backup.active_adver_interval);
  if (deadline >= backup.active_down_timer) return;
  backup.active_down_timer = deadline;
  backup.timed_for = priority_.value;
}

void VirtualRouter::receive_in_backup(const Turn& turn, Backup& backup, const IpAddress& source,
                                      const Advertisement& advertisement, bool active_for_another) {
  hear(turn, source, advertisement);
  if (advertisement.priority == release_priority) {
    if (backup.before && backup.before->address == source) backup.before.reset();
    if (backup.followed && backup.followed->address == source) backup.followed->last = release_priority;
    return shorten_timer(backup, turn.now);
  }

  auto& followed = backup.followed;
  const bool known = followed && followed->address == source;
  if (known) {
    const auto distance = turn.now - followed->heard - backup.active_adver_interval;
    measurements_.jitter.add(distance < Duration::zero() ? -distance : distance);
    followed->last = advertisement.priority;
    followed->heard = turn.now;
  }
  const bool fallen = known && advertisement.priority < followed->best;
  // Preempt_Mode does not apply to the address owner (section 6.1), nor where it would keep families apart.
  const bool tolerant = ((!config_.preempt_mode && !config_.owner()) || yielded_) && !active_for_another;
  // The last advertisement of a router that gives way to the Active we follow.
  const bool outdone = followed && !known && !defences_.on_trial() &&
                       advertisement.priority < followed->last && advertisement.priority < priority_.value &&
                       turn.now - followed->heard < backup.active_adver_interval * 5 / 4;
  if (advertisement.priority >= priority_.value || (tolerant && !fallen)) {
    backup.waits_for_siblings = false;
    defences_.pass_trial();
    if (outdone) return restart_timer(turn, backup);
    if (followed && !known) backup.before = followed;
    const auto best = known ? std::max(followed->best, advertisement.priority) : advertisement.priority;
    followed = Followed{source, best, advertisement.priority, turn.now};
    backup.active_adver_interval = defences_.interval_of(source, config_);
    restart_timer(turn, backup);
  } else if (fallen) {
    followed_has_fallen(turn, backup);
  }
}

// The fallen router will not be the next Active, so waiting three intervals is useless. (RFC 9568 would
// wait.) But there may have been two Actives: if the other one is better than we are, it advertises within an
// interval and stays Active.
void VirtualRouter::followed_has_fallen(const Turn& turn, Backup& backup) {
  auto from = turn.now;
  if (backup.before && backup.before->last >= priority_.value)
    from = std::max(from, backup.before->heard + backup.active_adver_interval * 5 / 4);
  shorten_timer(backup, from);
}

bool VirtualRouter::active_down_timer_fired(TimePoint now) const {
  const auto* backup = std::get_if<Backup>(&state_);
  return backup && backup->active_down_timer <= now;
}

void VirtualRouter::wait_for_siblings(const Turn& turn) {
  auto& backup = std::get<Backup>(state_);
  backup.waits_for_siblings = true;
  restart_timer(turn, backup);
}

void VirtualRouter::take_over(const Turn& turn) {
  const bool on_trial = defences_.on_trial();
  auto kind = Reason::no_active;
  std::string reason =
      yielded_ && releasing() ? "no peer took over after the switch" : "no Active has been heard";
  if (on_trial && std::get<Backup>(state_).followed) {
    kind = Reason::false_claim;
    reason = end_trial(turn, std::get<Backup>(state_).followed->address);
  } else if (peer_ && peer_->priority == release_priority) {
    kind = Reason::farewell;
    reason = fmt::format("{} has left (priority 0)", to_string(peer_->address));
    measurements_.handover.add(turn.now - peer_->heard);
  } else if (peer_ && peer_->priority < priority_.value &&
             turn.now - peer_->heard < 3 * Duration(peer_->interval)) {
    kind = Reason::better;
    reason = fmt::format("{} advertises priority {}, lower than our {}", to_string(peer_->address),
                         peer_->priority, priority_.value);
  } else if (peer_ && std::get<Backup>(state_).followed) {
    kind = Reason::silence;
    reason = fmt::format("nothing heard from {} for {}", to_string(peer_->address),
                         in_words(turn.now - peer_->heard));
    measurements_.failover.add(turn.now - peer_->heard);
    peer_lost_ = true;
    note(turn, events::peer_lost, reason);
  }
  become_active(turn, kind, reason);
}

// --- 6.4.3 Active

// Sections 6.4.1 and 6.4.2 have the advertisement first. Here it comes last: a router that gives way removes
// the addresses when it hears it, and by then the neighbours send to us.
void VirtualRouter::become_active(const Turn& turn, Reason kind, const std::string& reason) {
  yielded_ = false;
  release_.end();
  ++counters_.became_active;
  ++measurements_.became_active[static_cast<std::size_t>(kind)];
  enter(turn, Active{.adver_timer = turn.now + interval(), .advertised = turn.now}, reason);
  addresses_.hold(turn, config_);
  auto& active = std::get<Active>(state_);
  active.announcer.start(turn, config_);
  send(turn, priority_.value);
  if (kind == Reason::better || kind == Reason::owner) defences_.took_over_from_active();
}

void VirtualRouter::receive_in_active(const Turn& turn, Active& active, const IpAddress& source,
                                      const Advertisement& advertisement) {
  hear(turn, source, advertisement);
  if (advertisement.priority == release_priority) return answer_farewell(turn, active);
  const bool tie = advertisement.priority == priority_.value;
  if (advertisement.priority > priority_.value || (tie && source > *primary_address_)) {
    return give_way(turn, source, advertisement);
  }
  // The first may be the last advertisement of an Active that we have replaced; from the second on there are
  // two.
  if (++active.inferior_heard > 1 && turn.now >= conflict_noted_) {
    conflict_noted_ = turn.now + note_interval;
    note(turn, events::inferior_active,
         fmt::format("{} is Active too, with priority {}, lower than our {}: this node stays Active and "
                     "announces again",
                     to_string(source), advertisement.priority, priority_.value));
  }
  remember_rival(turn, active, source, advertisement);
  reassert(turn, active);
}

void VirtualRouter::remember_rival(const Turn& turn, Active& active, const IpAddress& source,
                                   const Advertisement& advertisement) {
  active.rival.heard(turn.now, source, silence_of_peer());
  if (one_way_.due(deaf_peer(turn.now).has_value(), turn.now))
    note(turn, events::one_way,
         fmt::format(
             "{} stays Active with priority {}, whatever this node answers: this node hears it, but it does "
             "not hear or understand this node. Look for a firewall that drops IP protocol 112, a switch "
             "that does not forward multicast, another VRRP version or another form of checksum",
             to_string(source), advertisement.priority));
}

std::optional<IpAddress> VirtualRouter::deaf_peer(TimePoint now) const {
  const auto* active = std::get_if<Active>(&state_);
  return active ? active->rival.deaf(now, interval(), silence_of_peer()) : std::nullopt;
}

// After this time without an advertisement the router heard last is gone, whatever interval it advertised.
Duration VirtualRouter::silence_of_peer() const {
  const auto theirs = peer_ ? defences_.interval_of(peer_->address, config_) : Duration{};
  return 3 * std::max(theirs, interval());
}

// The better router may have been Active all the time without hearing us, behind a cut cable: then neighbours
// have learnt our MAC address, and the better router must announce its own. So we advertise once more, and it
// answers an inferior Active. (RFC 9568 would step down silently.) We send that advertisement after our
// addresses are removed: a program that dies between the two must not keep the addresses beside the other
// Active.
void VirtualRouter::give_way(const Turn& turn, const IpAddress& source, const Advertisement& advertisement) {
  const bool tie = advertisement.priority == priority_.value;
  // Two owners are a configuration error; by erratum 8298 one of them steps down nevertheless.
  become_backup(turn, defences_.interval_of(source, config_),
                tie ? fmt::format("{} has the same priority {} and the higher address", to_string(source),
                                  advertisement.priority)
                    : fmt::format("{} advertises priority {}, higher than our {}", to_string(source),
                                  advertisement.priority, priority_.value),
                Followed{source, advertisement.priority, advertisement.priority, turn.now});
  send(turn, priority_.value);
  if (defences_.needs_trial(source)) put_on_trial(turn);
}

// A single advertisement may be forged, and then no node would serve. A router that was never heard before
// must be heard again soon: it answers the advertisement that we have just sent, or advertises regularly.
void VirtualRouter::put_on_trial(const Turn& turn) {
  auto& backup = std::get<Backup>(state_);
  backup.active_down_timer =
      turn.now + defences_.begin_trial(backup.active_adver_interval, config_, priority_.value);
}

// The claimant was not heard again. Returns the reason why this node is Active again.
std::string VirtualRouter::end_trial(const Turn& turn, const IpAddress& claimant) {
  const int times = defences_.fail_trial(claimant);
  turn.act(IdentifySender{config_.key, config_.path(), claimant});
  note(turn, events::false_claim,
       fmt::format(
           "{} claimed to be Active and was not heard again ({} time{} so far): if no node has this address, "
           "another host forges advertisements",
           defences_.name_of(claimant), times, times == 1 ? "" : "s"));
  return fmt::format("{} claimed to be Active and was not heard again", to_string(claimant));
}

// Other Backups may have started their Skew_Time: an immediate advertisement stops them. Answers to frequent
// farewells are delayed a little.
void VirtualRouter::answer_farewell(const Turn& turn, Active& active) {
  if (turn.now < active.farewell_not_before) {
    active.adver_timer = std::min(active.adver_timer, active.farewell_not_before);
    return;
  }
  active.farewell_not_before = turn.now + interval() / answers_per_interval;
  send_and_rearm(turn, active);
}

// New in RFC 9568: an inferior Active gets an immediate advertisement, or a slightly delayed one if another
// was sent just before. The RFC does not mention Adver_Timer, which keeps running. While there were two
// Actives, neighbours may have learnt the other's MAC address: so the winner announces again, also after the
// other's last advertisement, which needs no answer.
void VirtualRouter::reassert(const Turn& turn, Active& active) {
  const auto spacing = interval() / answers_per_interval;
  const auto not_before = active.answered_until - spacing;
  const bool answers = turn.now >= not_before;
  if (answers) {
    active.answered_until = std::max(active.answered_until, turn.now) + spacing;
    ++counters_.reassertions;
    send(turn, priority_.value);
  } else {
    ++counters_.reassertions_suppressed;
    active.adver_timer = std::min(active.adver_timer, not_before);
  }
  active.announcer.again(turn, config_);
}

void VirtualRouter::send_and_rearm(const Turn& turn, Active& active) {
  send(turn, priority_.value);
  active.advertised = turn.now;
  active.adver_timer = turn.now + interval();
}

bool VirtualRouter::stalled(TimePoint now) const {
  return std::holds_alternative<Active>(state_) && replaced_since(now, interval());
}

// No Backup, however good and whatever its Preempt_Mode, takes over within three intervals of our last
// advertisement; after that one may have.
bool VirtualRouter::replaced_since(TimePoint now, Duration told_interval) const {
  return now - std::get<Active>(state_).advertised >= 3 * told_interval;
}

void VirtualRouter::withdraw_stalled(const Turn& turn) {
  const auto late = turn.now - std::get<Active>(state_).adver_timer;
  note(
      turn, events::stalled,
      fmt::format(
          "this node stalled: an advertisement is {} late, so a peer must have taken over; this node removes "
          "the addresses before it sends anything",
          in_words(late)));
  become_backup(turn, interval(), "stalled for longer than three advertisement intervals");
}

void VirtualRouter::advertisements_held(TimePoint due) {
  auto* active = std::get_if<Active>(&state_);
  if (!active || due <= active->adver_timer) return;
  active->adver_timer = due;
  active->advertised = due - interval();
  defences_.advertised();
}

// A Backup whose deadline is that far in the past was not running. Advertisements waiting in its sockets have
// been read before; the sockets of a suspended machine are empty.
bool VirtualRouter::overslept(TimePoint now) const {
  const auto* backup = std::get_if<Backup>(&state_);
  return backup && now - backup->active_down_timer >=
                       active_down_interval(priority_.value, backup->active_adver_interval);
}

void VirtualRouter::listen_again(const Turn& turn) {
  auto& backup = std::get<Backup>(state_);
  note(turn, events::stalled,
       fmt::format(
           "this node stalled: Active_Down_Timer expired {} ago; it listens again before it takes over",
           in_words(turn.now - backup.active_down_timer)));
  restart_timer(turn, backup);
}

void VirtualRouter::tick(const Turn& turn) {
  if (auto* active = std::get_if<Active>(&state_)) {
    if (active->adver_timer <= turn.now) {
      measurements_.lateness.add(turn.now - active->adver_timer);
      send(turn, priority_.value);
      active->advertised = turn.now;
      const auto spacing = interval() / answers_per_interval;
      if (active->adver_timer == active->answered_until - spacing) active->answered_until += spacing;
      // From deadline to deadline, so that lateness does not accumulate; but missed advertisements are not
      // made up for.
      active->adver_timer += interval();
      if (active->adver_timer <= turn.now) active->adver_timer = turn.now + interval();
    }
    active->announcer.tick(turn, config_);
    defend(turn, *active);
  }
  if (release_.farewell_due(turn.now, interval())) {
    release_.farewell_said();
    send(turn, release_priority);
  }
  if (release_.over(turn.now)) end_release(turn);
  for (const auto& address : addresses_.tick(turn, config_)) Announcer::announce(turn, config_, address);
}

// --- both: a valid advertisement for this virtual router

void VirtualRouter::advertisement_received(const Turn& turn, const IpAddress& source,
                                           const Advertisement& advertisement, bool active_for_another) {
  ++counters_.advertisements_received;
  if (advertisement.priority == release_priority) ++counters_.priority_zero_received;
  if (advertisement.trailing > 0) ++counters_.trailing_bytes;
  defences_.heard(turn.now, config_, source, advertisement, state() == StateName::active);
  const bool takes_part = state() != StateName::initialize;
  differences_.look_at(
      turn, {config_, takes_part ? priority_.value : Priority{0}, defences_.interval_of(source, config_)},
      source, advertisement, counters_);
  // The successor has taken over: now the addresses can go.
  if (releasing() && advertisement.priority != release_priority) end_release(turn);

  if (auto* backup = std::get_if<Backup>(&state_))
    receive_in_backup(turn, *backup, source, advertisement, active_for_another);
  else if (auto* active = std::get_if<Active>(&state_))
    receive_in_active(turn, *active, source, advertisement);
  else
    hear(turn, source, advertisement);  // 6.4.1: no reaction
}

// Reports a peer that has changed or was silent, but not with each packet while several routers advertise.
void VirtualRouter::hear(const Turn& turn, const IpAddress& source, const Advertisement& advertisement) {
  const bool news = !peer_ || peer_->address != source || peer_lost_;
  peer_ = Peer{source, advertisement.priority, advertisement.interval, turn.now};
  if (!news || advertisement.priority == release_priority || turn.now < peer_noted_) return;
  peer_lost_ = false;
  peer_noted_ = turn.now + note_interval;
  note(turn, events::peer_heard,
       fmt::format("hears {} with priority {}", to_string(source), advertisement.priority));
}

// --- helpers

// The only function that changes the state, but for adopt().
void VirtualRouter::enter(const Turn& turn, std::variant<Initialize, Backup, Active> state,
                          const std::string& reason) {
  const auto from = this->state();
  state_ = std::move(state);
  defences_.state_entered();
  since_ = turn.now;
  reason_ = reason;
  turn.act(StateChanged{config_.key, config_.name, from, this->state(), priority_.value, reason});
}

void VirtualRouter::end_release(const Turn& turn) {
  release_.end();
  addresses_.drop(turn, config_);
}

void VirtualRouter::send(const Turn& turn, Priority priority) {
  if (!primary_address_) return;
  defences_.advertised();
  ++counters_.advertisements_sent;
  if (priority == release_priority) ++counters_.priority_zero_sent;
  for (auto& each : transmissions(advertisement_of(config_, priority, checksum()), *primary_address_))
    turn.act(SendAdvertisement{config_.key, config_.path(), priority, each.source, each.destination,
                               std::move(each.message)});
}

ChecksumForm VirtualRouter::checksum() const {
  switch (config_.checksum) {
    case ChecksumMode::automatic: return defences_.checksum_form();
    case ChecksumMode::rfc9568: return ChecksumForm::rfc9568;
    case ChecksumMode::pseudo_header: return ChecksumForm::pseudo_header;
  }
  return ChecksumForm::pseudo_header;
}

void VirtualRouter::note(const Turn& turn, std::string_view event, std::string text) const {
  turn.act(Noted{config_.key, config_.name, std::string(event), std::move(text)});
}

}  // namespace vipd::vrrp
