// The engine: one entrance, step(now, event) -> actions, and three views: next_deadline(), status(),
// snapshot().
//
//   kernel, peers, health, configuration, commands --> Input --> step() --> Actions --> programs/router/effects
//
// It is pure: it has no descriptor, clock, log or thread; time is an argument and stands still during a step.
// It contains no rules: it finds the virtual router, asks the rule files, and gathers their actions.
//   vrrp/packet          what is a valid message              (RFC 9568 sections 5 and 7.1)
//   vrrp/parameters      Skew_Time, Active_Down_Interval      (section 6.1)
//   vrrp/virtual_router  Initialize, Backup, Active           (section 6.4)
//   vrrp/defences        what one forged advertisement can do
//   vrrp/transmission    what we advertise, and where it goes
//   vrrp/priority        base priority and health
//   vrrp/interface_view  can the interface be used, and from which address
//   vrrp/sync_group      two families of one entry move together
//   vrrp/address_keeper  which addresses must be there, and what if they are not
//   vrrp/announcer       gratuitous ARP and unsolicited NA    (section 8)
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/interface.h"
#include "vrrp/action.h"
#include "vrrp/input.h"
#include "vrrp/interface_view.h"
#include "vrrp/status.h"
#include "vrrp/virtual_router.h"

namespace vipd::vrrp {

class Engine {
 public:
  // Returns what follows from `event` at `now`. Time never runs backwards from one call to the next.
  Actions step(TimePoint now, const Input& event);

  // When a Tick is due at the latest; nothing if no virtual router waits for time.
  std::optional<TimePoint> next_deadline() const;

  Status status(TimePoint now) const;
  std::map<RouterKey, Measurements> measurements() const;
  Snapshot snapshot() const;
  // Adver_Timer or Active_Down_Timer (or never) of each virtual router, numbered as in snapshot(). In a
  // snapshot only these change with each advertisement. The numbers stay the same until a step() yields
  // actions other than advertisements, renewals and announcements.
  void for_each_deadline(const std::function<void(std::size_t, TimePoint)>& visit) const;

  // VirtualRouter::lease() of each virtual router, in the same order.
  void for_each_lease(TimePoint now,
                      const std::function<void(const RouterKey&, std::optional<TimePoint>)>& visit) const;

  // After Shutdown: no address is held or being handed over any more.
  bool finished() const;

 private:
  void handle(const DatagramReceived& event);
  void handle(const InterfaceChanged& event);
  void handle(const HealthChanged& event);
  void handle(const ConfigReplaced& event);
  void handle(const AddressFailed& event);
  void handle(const SenderIdentified& event);
  void handle(const AddressClaimed& event);
  void handle(const SwitchRequested& event);
  void handle(const SwitchBackRequested& event);
  void handle(const Shutdown& event);
  void handle(const AdvertisementsHeld& event);
  void handle(const Tick& event);

  // The virtual routers of one entry of the configuration: one, or two that move together.
  using Entry = std::vector<VirtualRouter*>;
  Entry entry(const std::string& name) const;
  VirtualRouter* find(const RouterKey& key) const;
  InterfaceView& view(const std::string& interface);

  void withdraw_stalled();
  void discard(const DatagramReceived& event, DecodeError error, VirtualRouter* router);
  void update(InterfaceView& changed, const Interface& interface);
  void expect_new_checks(const ConfigReplaced& event);
  std::set<std::string> awaited_checks() const;
  VirtualRouter& create(const VirtualRouterConfig& config, const RouterSnapshot* adopted);
  void index();
  void reconsider(const Entry& members);
  void fire_active_down_timer(VirtualRouter& router);
  void forget_removed();
  Turn turn(const VirtualRouter& router);
  void reschedule(VirtualRouter& router);

  TimePoint now_{};
  bool shutting_down_ = false;
  Actions actions_;
  CheckFacts checks_;
  std::map<RouterKey, std::unique_ptr<VirtualRouter>> routers_;
  std::set<RouterKey> removed_;  // from the configuration; they live until their addresses are handed over
  std::map<std::string, DiscardCounters> discarded_;

  // For lookups that stay fast whatever the number of entries.
  std::map<std::string, Entry> entries_;
  std::map<std::string, std::vector<std::string>> entries_of_check_;
  std::map<std::string, InterfaceView> views_;
  using Deadline = std::pair<TimePoint, VirtualRouter*>;
  struct Sooner {  // by time and key: the order never depends on memory addresses
    bool operator()(const Deadline& left, const Deadline& right) const {
      if (left.first != right.first) return left.first < right.first;
      return left.second != right.second && left.second->config().key < right.second->config().key;
    }
  };
  std::set<Deadline, Sooner> deadlines_;           // of the virtual routers that wait for time
  std::map<VirtualRouter*, TimePoint> scheduled_;  // where each stands in deadlines_
};

}  // namespace vipd::vrrp
