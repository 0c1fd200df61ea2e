// Holder: performs a hold in the guardian. While a dead router is being replaced, or a hanging one may
// recover, it sends the last advertisements on time and renews the addresses; if no router comes back, it
// carries out the last will: priority 0, addresses removed. It listens to nothing and decides nothing; so if
// it is too late itself, because the whole node stalled, it removes the addresses and sends nothing.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "io/advert_sender.h"
#include "netlink/socket.h"
#include "programs/common/hold.h"
#include "programs/common/log.h"
#include "programs/guardian/address_thread.h"
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
  TimePoint deadline() const;

  // The state that a successor starts from, with the deadlines reached here.
  std::optional<vrrp::Snapshot> snapshot() const;

  // Passes the advertisements sent in its place on to a router that is only late.
  void tell(Hold& hold) const;

  void end();        // a successor continues
  void last_will();  // there is no successor

 private:
  struct Held {
    HeldRouter router;
    TimePoint advertisement;  // when the next one is due
    TimePoint renewal;
  };

  void withdraw_lapsed(TimePoint now);
  void withdraw(const Held& held);
  bool send(const Held& held, vrrp::Priority priority);
  static std::vector<netlink::AddressChange> changes(const Held& held, bool add);
  bool remove_addresses(const Held& held);
  io::AdvertSender* sender(Family family);
  netlink::Socket* netlink();

  Log& log_;
  LeaseKeeper& leases_;
  std::vector<Held> held_;
  std::optional<vrrp::Snapshot> snapshot_;
  std::map<Family, io::AdvertSender> senders_;
  std::optional<netlink::Socket> netlink_;
  AddressThread renewals_;
};

}  // namespace vipd::programs
