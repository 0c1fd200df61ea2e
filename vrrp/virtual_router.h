// VirtualRouter: the state machine of RFC 9568 section 6.4 for one (interface, VRID, family).
//
// Its methods are the RFC's events, and vipd's additions to them. Each takes the Turn (the time, the
// interface, the list of actions) and changes the state through one function, enter(). A deadline is a field
// of the state: a Backup cannot have an Adver_Timer. It decides alone, with one exception: the engine asks
// vrrp/sync_group before it lets a Backup take over.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "vrrp/address_keeper.h"
#include "vrrp/announcer.h"
#include "vrrp/claims.h"
#include "vrrp/defences.h"
#include "vrrp/differences.h"
#include "vrrp/measurements.h"
#include "vrrp/packet.h"
#include "vrrp/parameters.h"
#include "vrrp/priority.h"
#include "vrrp/release.h"
#include "vrrp/rival.h"
#include "vrrp/status.h"
#include "vrrp/telling.h"
#include "vrrp/turn.h"

namespace vipd::vrrp {

// Shutdown as an obstacle; it precedes all others.
constexpr std::string_view stopping = "vipd is stopping";

struct Initialize {};

// The Active whose advertisements a Backup accepts. If it advertises less than its best priority, it has
// fallen: its health has changed, and it will not be the next Active.
struct Followed {
  IpAddress address;
  Priority best = 0;
  Priority last = 0;
  TimePoint heard{};
};

struct Backup {
  TimePoint active_down_timer;
  Duration active_adver_interval;   // Active_Adver_Interval: learnt from the Active's advertisements
  Priority timed_for = 0;           // the priority whose Skew_Time is in active_down_timer
  bool waits_for_siblings = false;  // the timer has run out, but that of the entry's other family has not
  std::optional<Followed> followed;
  std::optional<Followed> before;  // ... and before that: for a while there may be two
};

struct Active {
  TimePoint adver_timer;
  TimePoint advertised;        // the last time
  TimePoint answered_until{};  // rate limits of immediate answers: to an inferior Active, each counts for
                               // a time, and one may come ahead of it;
  TimePoint farewell_not_before{};  // and to priority zero
  int inferior_heard = 0;           // advertisements of inferior Actives
  Rival rival{};
  Announcer announcer{};
  Claims claims{};
};

class VirtualRouter {
 public:
  explicit VirtualRouter(VirtualRouterConfig config);

  // --- events of section 6.4 ---
  // Startup if `obstacles` is empty, otherwise Shutdown with these reasons. Repeating it changes nothing.
  void set_obstacles(const Turn& turn, std::vector<std::string> obstacles);
  // `active_for_another`: another family of the entry is Active here.
  void advertisement_received(const Turn& turn, const IpAddress& source, const Advertisement& advertisement,
                              bool active_for_another);
  bool active_down_timer_fired(TimePoint now) const;
  void take_over(const Turn& turn);          // what a Backup does when Active_Down_Timer fires
  void wait_for_siblings(const Turn& turn);  // ... unless it waits for the entry's other family first
  void tick(const Turn& turn);               // every other deadline

  // The stall fence: this node stood still for so long that it must have been replaced (an Active), or has
  // not been listening (a Backup).
  bool stalled(TimePoint now) const;
  bool overslept(TimePoint now) const;
  void withdraw_stalled(const Turn& turn);  // before anything else is done
  void listen_again(const Turn& turn);

  // Another program of this node has advertised in our place. `due`: when the next advertisement is due.
  void advertisements_held(TimePoint due);

  // --- beyond that section: virtual_router_requests.cc, and virtual_router_state.cc what is asked ---
  void set_primary_address(std::optional<IpAddress> address) { primary_address_ = address; }
  bool set_priority(const Turn& turn, EffectivePriority priority);  // true: it was advertised at once
  void observe(const Turn& turn);                                   // the interface has changed
  void address_claimed(const Turn& turn, const IpAddress& address, const MacAddress& mac,
                       std::uint32_t times);
  void sender_identified(const Turn& turn, const IpAddress& sender, const MacAddress& mac);
  void address_failed(const Turn& turn, const Prefix& prefix, const std::string& error);
  void reconfigure(const Turn& turn, VirtualRouterConfig config, EffectivePriority priority);  // same key
  void adopt(const Turn& turn, const RouterSnapshot& snapshot);  // continues where a predecessor stopped
  void yield(const Turn& turn);                                  // `vipctl switch`
  void take_back(const Turn& turn);                              // `vipctl switch --back`
  void count_discard(DecodeError error) { ++counters_.discarded[static_cast<std::size_t>(error)]; }

  const VirtualRouterConfig& config() const { return config_; }
  StateName state() const;
  const std::vector<std::string>& obstacles() const { return obstacles_; }
  bool waits_for_siblings() const;
  bool releasing() const { return release_.going(); }
  bool holds_addresses() const { return addresses_.holding(); }
  bool accepts(ChecksumForm form) const;
  std::optional<TimePoint> deadline() const;
  // Until when the kernel lets packets for the addresses in, should the router fall silent. TimePoint{}: the
  // addresses are not ours, their packets pass. Nothing: addresses of ours are there that should not be; the
  // lease does not change.
  std::optional<TimePoint> lease(TimePoint now) const;
  TimePoint state_deadline() const;  // Adver_Timer or Active_Down_Timer; never in Initialize
  RouterStatus status(TimePoint now) const;
  const Measurements& measurements() const { return measurements_; }
  RouterSnapshot snapshot() const;

 private:
  void enter(const Turn& turn, std::variant<Initialize, Backup, Active> state, const std::string& reason);
  void become_active(const Turn& turn, Reason kind, const std::string& reason);
  void become_backup(const Turn& turn, Duration active_adver_interval, const std::string& reason,
                     std::optional<Followed> followed = std::nullopt);
  void restart_timer(const Turn& turn, Backup& backup);
  void follow_the_last_heard(Backup& backup);
  void shorten_timer(Backup& backup, TimePoint from);
  void followed_has_fallen(const Turn& turn, Backup& backup);
  void give_way(const Turn& turn, const IpAddress& source, const Advertisement& advertisement);
  void put_on_trial(const Turn& turn);
  std::string end_trial(const Turn& turn, const IpAddress& claimant);
  void receive_in_backup(const Turn& turn, Backup& backup, const IpAddress& source,
                         const Advertisement& advertisement, bool active_for_another);
  void receive_in_active(const Turn& turn, Active& active, const IpAddress& source,
                         const Advertisement& advertisement);
  void answer_farewell(const Turn& turn, Active& active);
  void reassert(const Turn& turn, Active& active);
  void remember_rival(const Turn& turn, Active& active, const IpAddress& source,
                      const Advertisement& advertisement);
  std::optional<IpAddress> deaf_peer(TimePoint now) const;
  Duration silence_of_peer() const;
  void defend(const Turn& turn, Active& active);
  bool replaced_since(TimePoint now, Duration told_interval) const;
  void send(const Turn& turn, Priority priority);
  void send_and_rearm(const Turn& turn, Active& active);
  void end_release(const Turn& turn);
  ChecksumForm checksum() const;
  void hear(const Turn& turn, const IpAddress& source, const Advertisement& advertisement);
  void note(const Turn& turn, std::string_view event, std::string text) const;
  Duration interval() const { return config_.advertisement_interval; }

  VirtualRouterConfig config_;
  std::variant<Initialize, Backup, Active> state_;
  TimePoint since_{};
  std::string reason_ = "not started yet";
  std::vector<std::string> obstacles_{"not started yet"};
  EffectivePriority priority_;
  std::optional<IpAddress> primary_address_;
  Defences defences_;
  std::optional<Peer> peer_;
  bool peer_lost_ = false;  // the peer has fallen silent
  TimePoint peer_noted_ = TimePoint::min();
  bool yielded_ = false;
  Release release_;
  AddressKeeper addresses_;
  Counters counters_;
  Measurements measurements_;
  Differences differences_;
  Telling one_way_;
  TimePoint conflict_noted_ = TimePoint::min();
};

}  // namespace vipd::vrrp
