// Holder: performs a hold in the guardian. While a dead router is being replaced, or a hanging one may
// recover, it sends the last advertisements on time and renews the addresses; if no router comes back, it
// carries out the last will: priority 0, addresses removed. It listens to nothing and decides nothing:
// programs/guardian/held_actives decides what is due, and when it is too late to hold, because the whole node
// stalled; then it removes the addresses and sends nothing.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "io/advert_sender.h"
#include "netlink/socket.h"
#include "programs/common/hold.h"
#include "programs/common/log.h"
#include "programs/guardian/address_thread.h"
#include "programs/guardian/held_actives.h"
#include "programs/guardian/lease_keeper.h"

namespace vipd::programs {

class Holder {
 public:
  // Opens its sockets in advance: later there may be no descriptor left.
  Holder(Log& log, LeaseKeeper& leases);

  // Holds for the Actives in `state` whose peers still consider them Active.
  void begin(HoldState state, TimePoint now);
  bool holding() const { return !held_.empty(); }
  void tick(TimePoint now);
  TimePoint deadline() const { return held_.deadline(); }

  // The state that a successor starts from, with the deadlines reached here.
  std::optional<vrrp::Snapshot> snapshot() const { return held_.snapshot(); }

  // Passes the advertisements sent in its place on to a router that is only late.
  void tell(Hold& hold) const;

  void end();        // a successor continues
  void last_will();  // there is no successor

 private:
  void withdraw_lapsed(TimePoint now);
  void withdraw(const HeldRouter& router);
  bool send(const HeldRouter& router, vrrp::Priority priority);
  static std::vector<netlink::AddressChange> changes(const HeldRouter& router, bool add);
  bool remove_addresses(const HeldRouter& router);
  io::AdvertSender* sender(Family family);
  netlink::Socket* netlink();

  Log& log_;
  LeaseKeeper& leases_;
  HeldActives held_;
  std::map<Family, io::AdvertSender> senders_;
  std::optional<netlink::Socket> netlink_;
  AddressThread renewals_;
};

}  // namespace vipd::programs
