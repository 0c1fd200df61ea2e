// LeaseKeeper: the leases in the guardian. Keeps the lease's program (netlink/lease.h) on every interface
// where the configuration or the router wants it, gives each virtual router a slot and tells the router
// which; renews in the router's place. It stays in the kernel when all of us die: the next start goes on with
// it.
//
// It decides nothing about who is Active, and nothing depends on it: where the kernel refuses it says why,
// and the finite lifetime of the addresses is what remains.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <vector>

#include "daemon/claims.h"
#include "daemon/log.h"
#include "daemon/messages.h"
#include "io/loop.h"
#include "netlink/lease.h"

namespace vipd::daemon {

class LeaseKeeper {
 public:
  // Hands a message, perhaps with a descriptor, to the router.
  using Tell = std::function<void(const Leases& leases, std::span<const int> slots)>;

  LeaseKeeper(io::Loop& loop, Log& log, Claims& claims, Tell tell)
      : loop_(loop), log_(log), claims_(claims), tell_(std::move(tell)) {}

  // Before the first router starts. leftovers: nobody is in charge of addresses of ours that are there
  // already, so nobody shall answer for them until a router has removed them or taken over.
  void start(const std::vector<vrrp::VirtualRouterConfig>& routers, bool leftovers = true);
  // A reload, before the router is told of it: what is new is guarded, what is gone stays guarded until the
  // router says that it has let go.
  void configure(const std::vector<vrrp::VirtualRouterConfig>& routers);
  void replace(WantedLeases wanted);
  void tell_new_router();

  // In the router's place. Unknown virtual routers have no lease.
  void renew(const vrrp::RouterKey& router, TimePoint until);
  void end(const vrrp::RouterKey& router);  // its addresses are gone

  // Puts the program back where somebody else has taken it away, and tries again where it was refused. It
  // waits for the kernel's lock on interfaces.
  void tick(TimePoint now);
  TimePoint deadline() const { return lease_ ? look_again_ : never; }

  // The end of an orderly stop: nothing stays, but where addresses could not be removed.
  void close();

 private:
  // Where and for what a virtual router has its lease.
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
  Claims& claims_;
  Tell tell_;
  std::unique_ptr<netlink::Lease> lease_;
  io::Watch events_;
  std::string why_not_;                         // there is none at all
  std::map<std::string, std::string> refused_;  // by interface, why there is none on it
  std::map<vrrp::RouterKey, std::vector<Prefix>> configured_;
  WantedLeases wanted_;  // by the router
  std::map<vrrp::RouterKey, Guard> guards_;
  netlink::Lease::Addresses guarded_;  // as the kernel has them
  std::set<std::uint32_t> attached_;   // where the kernel has a program, perhaps a predecessor's
  bool told_slots_ = false;            // this router has the descriptor
  std::set<std::uint32_t> in_place_;   // this program's, as far as is known
  std::set<std::uint32_t> doubtful_;   // somebody may have taken it away
  TimePoint looked_{};                 // where it is not in place
  TimePoint look_again_ = never;
};

}  // namespace vipd::daemon
