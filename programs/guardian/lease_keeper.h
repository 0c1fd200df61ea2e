// LeaseKeeper: the leases in the guardian. Keeps the program of the lease (netlink/lease.h) on every
// interface where the configuration or the router wants it, assigns each virtual router a slot, and renews
// leases during a hold. The program stays in the kernel when all programs of vipd die: the next start
// continues with it.
//
// It decides nothing about which node is Active, and nothing depends on it: if the kernel refuses, it reports
// the reason, and the dead man remains.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "io/loop.h"
#include "netlink/lease.h"
#include "programs/common/guardian_router_messages.h"
#include "programs/common/log.h"
#include "programs/guardian/reservations.h"

namespace vipd::programs {

class LeaseKeeper {
 public:
  // Sends a message to the router; slots: the descriptor that goes with it, or -1.
  using Tell = std::function<void(const Leases& leases, int slots)>;

  LeaseKeeper(io::Loop& loop, Log& log, Reservations& claims, Tell tell)
      : loop_(loop), log_(log), reservations_(claims), tell_(std::move(tell)) {}

  // Before the first router starts. leftovers: no router manages the virtual addresses that are already
  // there, so this node must not answer for them until a router has removed them or taken over.
  void start(const std::vector<vrrp::VirtualRouterConfig>& routers, bool leftovers = true);
  // A reload, before the router gets it: new addresses are guarded; removed ones stay guarded until the
  // router reports that it has given them up.
  void configure(const std::vector<vrrp::VirtualRouterConfig>& routers);
  void replace(WantedLeases wanted);
  void tell_new_router();

  // During a hold. Unknown virtual routers have no lease.
  void renew(const vrrp::RouterKey& router, TimePoint until);
  void end(const vrrp::RouterKey& router);  // its addresses are removed

  // Restores the program where another program has removed it, and retries where the kernel refused it. Waits
  // for the kernel's lock on interfaces.
  void tick(TimePoint now);
  TimePoint deadline() const { return lease_ ? look_again_ : never; }

  // The end of an orderly stop: removes the program, except where addresses could not be removed.
  void close();

 private:
  // The interface and the addresses of a virtual router's lease.
  struct Guard {
    std::uint32_t slot = 0;
    std::uint32_t interface_index = 0;
    std::vector<Prefix> addresses;
  };
  using Places = std::map<vrrp::RouterKey, WantedLeases::Place>;

  void open();
  Result<std::unique_ptr<netlink::Lease>> open_claimed();
  void let_go();
  void reconcile(bool leftovers);
  Places places() const;
  void give_slots(const Places& places);
  std::uint32_t choose_slot(const WantedLeases::Place& place) const;
  netlink::Lease::Addresses addresses() const;
  void guard(const netlink::Lease::Addresses& wanted);
  void release(const netlink::Lease::Addresses& wanted);
  void mistrust_leftovers();
  std::map<std::uint32_t, std::string> interfaces() const;
  void touched();
  void doubt_all();
  void attach(std::uint32_t index, const std::string& name);
  void detach();
  void told_why_not(const std::string& interface, const std::string& why_not);
  void tell();
  Leases leases() const;

  io::Loop& loop_;
  Log& log_;
  Reservations& reservations_;
  Tell tell_;
  std::unique_ptr<netlink::Lease> lease_;
  io::Watch events_;
  std::string why_not_;                         // why there is no lease at all
  std::map<std::string, std::string> refused_;  // by interface, why there is no lease on it
  std::map<vrrp::RouterKey, std::vector<Prefix>> configured_;
  WantedLeases wanted_;  // by the router
  std::map<vrrp::RouterKey, Guard> guards_;
  netlink::Lease::Addresses guarded_;  // in the kernel
  std::set<std::uint32_t> attached_;   // interfaces with a program, possibly a predecessor's
  bool told_slots_ = false;            // the router has the descriptor
  std::set<std::uint32_t> in_place_;   // interfaces with this program, as far as known
  std::set<std::uint32_t> doubtful_;   // interfaces where another program may have removed it
  TimePoint looked_{};                 // last time where it is missing
  TimePoint look_again_ = never;
};

}  // namespace vipd::programs
