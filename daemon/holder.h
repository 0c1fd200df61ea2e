// Holder: the guardian in the router's place. While a router that died is being replaced, or one that hangs
// is waited for, it sends the last advertisements on time and renews the addresses; if no router comes back,
// it carries out the last will: priority 0, addresses removed. It listens to nothing and decides nothing; so
// where it is itself too late to go on, because the whole node stood still, it withdraws in silence.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "daemon/address_thread.h"
#include "daemon/hold.h"
#include "daemon/lease_keeper.h"
#include "daemon/log.h"
#include "io/advert_sender.h"
#include "netlink/socket.h"

namespace vipd::daemon {

class Holder {
 public:
  // Opens what it will need: when the time comes there may be no descriptor left.
  Holder(Log& log, LeaseKeeper& leases);

  // Goes on for the Actives in `state`, as far as their peers still take them for that.
  void begin(HoldState state, TimePoint now);
  bool holding() const { return !held_.empty(); }
  void tick(TimePoint now);
  TimePoint deadline() const;

  // What a successor starts from: the state, with the deadlines as far as they have come here.
  std::optional<vrrp::Snapshot> snapshot() const;

  // Tells a router that is only late what was sent in its place.
  void tell(Hold& hold) const;

  void end();        // a successor goes on
  void last_will();  // nobody does

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

}  // namespace vipd::daemon
