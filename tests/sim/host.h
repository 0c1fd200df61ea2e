// Host: one node of the simulated LAN: a clock, a kernel (and perhaps the lease in it), and a router program
// on it: vipd, driven as programs/router/router drives the engine and watched by a guardian as programs/guardian/guardian does
// it, or a plain router of another make.
//
// It carries out what the play asks for (start, crash, freeze, ...) and shows its state; it judges nothing.
#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "programs/guardian/held_actives.h"
#include "tests/scenarios/plain_router.h"
#include "tests/sim/clock.h"
#include "tests/sim/kernel.h"
#include "tests/sim/setup.h"
#include "vrrp/engine.h"

namespace vipd::sim {

class Lan;

enum class Program {
  none,
  vipd,
  held,  // the router is dead, the guardian holds for it
  plain,
};

enum class Sleep {
  frozen,     // the router program alone: what is sent to it waits
  suspended,  // the machine: what is sent to it is lost
  paused,     // the same, and its clock has stood still too
};

class Host {
 public:
  Host(Lan& lan, const HostSetup& setup);

  // --- what it is ---
  // A virtual router as it is, whatever the engine believes.
  struct Router {
    vrrp::StateName state = vrrp::StateName::initialize;
    bool releasing = false;
    bool yielded = false;
    vrrp::Priority priority = 0;
    Moment since = long_ago;    // of the state
    Moment sent = long_ago;     // its last advertisement, farewells not counted
    Moment resumed = long_ago;  // when it sent after a silence
    TimePoint sent_locally{};   // the same by its own clock
    Moment lease_until = long_ago;
    vrrp::Priority best = 0;   // the highest that it has advertised since it is Active
    Moment fell = long_ago;    // when it advertised less than its best, and does since then
    vrrp::Priority told = 0;   // in its last advertisement, farewells not counted
    Duration told_interval{};  // in the same
    bool left = false;         // its last message was a farewell
    Moment yielded_until = long_ago;
    Moment gave_way = long_ago;  // the last time that it served on for a successor, or had yielded
    Moment became_active = long_ago;
    Moment must_announce = long_ago;  // since when: it became Active, or has heard another Active
    bool must_listen = false;         // it stood still for so long that it may say nothing
  };
  const HostSetup& setup() const { return setup_; }
  const std::string& name() const { return setup_.name; }
  std::size_t index() const { return index_; }
  Program program() const { return program_; }
  bool alive() const { return program_ != Program::none; }
  bool awake() const { return asleep_until_ == long_ago; }
  bool stopping() const { return stopping_; }
  const Router& router(std::size_t group) const { return routers_[group]; }
  bool active(std::size_t group) const { return alive() && routers_[group].state == vrrp::StateName::active; }
  vrrp::VirtualRouterConfig config(std::size_t group) const;
  const EntrySettings& running(std::size_t entry) const { return running_[entry]; }  // what is in force
  const Kernel& kernel() const { return kernel_; }
  bool answers(std::size_t group) const;  // a client gets an answer for the group's first address
  // The priority and the obstacles that the program must have, by the inputs that it got.
  vrrp::Priority due_priority(std::size_t entry) const;
  bool eligible(std::size_t group) const;
  Moment fit_since(std::size_t group) const { return fit_since_[group]; }  // not_ever: is not
  Moment meddled_until() const { return meddled_until_; }
  Moment woken() const { return woken_; }
  Moment adopted() const { return adopted_; }
  Duration ran_since_adopted() const { return local() - adopted_locally_; }  // by its own clock
  Moment changed() const { return changed_; }  // its priority, configuration, health: what decides elections

  // --- what happens to it ---
  void start(bool adopt);
  void stop();
  void crash(bool guardian_too);  // the addresses stay
  void power_off();               // they do not
  void sleep(Duration duration, Sleep kind);
  void wake_now() {
    if (!awake()) wake_up();
  }
  void set_link(bool exists, bool up, bool running);
  void replace_link();  // deleted and made anew
  void set_own_addresses(bool there);
  void set_check(const std::string& name, bool healthy);
  void reload() { apply_settings(true); }
  void switch_away(std::size_t entry);
  void switch_back(std::size_t entry);
  void remove_by_hand(const Prefix& prefix);
  void add_by_hand(const Prefix& prefix);
  void clean_up();  // by hand too, where no program is there to do it
  void refuse(bool refusing) { refusing_ = refusing; }
  void die_in_next_turn(bool dies) { dies_in_turn_ = dies; }

  std::vector<EntrySettings> settings;  // as its vipd.yaml has it; in force after start() and reload()
  std::map<std::string, bool> healthy;  // what its checks would say

  // --- driven by the Lan ---
  Moment wake() const { return wake_; }
  void run();  // something is due
  void receive(const std::shared_ptr<const vrrp::Input>& message);
  void kernel_speaks();
  void monitor_speaks();
  void address_refused(const std::shared_ptr<const vrrp::Input>& failure) { receive(failure); }

 private:
  // The engine's rate limit of repairs, and a little more.
  static constexpr Duration repair_bound = std::chrono::seconds(6);

  TimePoint local() const;
  void step(const vrrp::Input& event);
  void perform(vrrp::Actions actions);
  void perform_one(vrrp::Action& action);
  void refresh();
  void update_fitness();
  void meddled(Duration until_repaired);
  void reschedule();
  void tell(const vrrp::Actions& actions);
  void say(const std::string& what);
  std::string label(const vrrp::RouterKey& key) const;
  std::size_t group_of(const vrrp::RouterKey& key) const;
  void apply_settings(bool reload);
  std::vector<vrrp::VirtualRouterConfig> configs() const;

  void start_plain();
  void plain_changed(std::size_t group, vrrp::StateName from, vrrp::StateName to);
  programs::HoldState hold_state() const;
  void hold();
  void withdraw_lapsed();
  void send_for(const programs::HeldRouter& router, vrrp::Priority priority);
  void tick_hold();
  void last_will();
  void end_program();
  void wake_up();
  void send(std::size_t group, const IpAddress& source, std::vector<std::uint8_t> message);
  Duration lease_of(std::size_t group, Duration interval) const;
  void set_state(std::size_t group, vrrp::StateName state);
  bool stood_still(std::size_t group, Duration interval) const;
  void hear(const vrrp::DatagramReceived& datagram);

  bool put(const Prefix& prefix, Duration valid);
  void expire();
  void kernel_changed();
  bool reaches_link() const { return kernel_.link().exists() && kernel_.link().index == known_index_; }

  Lan& lan_;
  HostSetup setup_;
  std::size_t index_;
  Clock clock_;
  Program program_ = Program::none;
  std::unique_ptr<vrrp::Engine> engine_;
  std::vector<std::unique_ptr<scenarios::PlainRouter>> plain_;  // by group
  std::vector<Router> routers_;                                 // by group
  std::vector<EntrySettings> running_;
  std::map<std::string, bool> told_;  // facts that were sent to the router
  std::vector<Moment> fit_since_;     // by group

  // What a successor gets, as in programs/common/hold.
  std::optional<vrrp::Snapshot> kept_;
  TimePoint kept_at_{};
  programs::HeldActives held_;
  Moment hold_ends_ = not_ever;

  Kernel kernel_;
  bool refusing_ = false;  // to add an address
  bool notification_pending_ = false;
  std::uint32_t known_index_ = 0;  // of the link, as the program has been told

  bool stopping_ = false;
  bool dies_in_turn_ = false;
  Moment asleep_until_ = long_ago;
  Moment asleep_since_ = long_ago;
  Sleep sleep_kind_ = Sleep::frozen;
  std::deque<std::shared_ptr<const vrrp::Input>> waiting_;
  bool kernel_waits_ = false;
  bool monitor_waits_ = false;

  std::optional<TimePoint> deadline_;
  Moment program_wake_ = not_ever;
  Moment wake_ = not_ever;
  Moment meddled_until_ = long_ago;
  Moment woken_ = long_ago;
  Moment adopted_ = long_ago;
  TimePoint adopted_locally_{};
  Moment changed_ = long_ago;
};

}  // namespace vipd::sim
