// Holder: performs a hold in the guardian, with sockets, netlink and the lease. It listens to nothing and
// decides nothing: programs/guardian/stand_in does. Addresses are renewed in a thread of their own, because
// the kernel may take long and the next advertisement must not wait for it.
#pragma once

#include <map>
#include <optional>
#include <vector>

#include "io/advert_sender.h"
#include "netlink/socket.h"
#include "programs/common/hold.h"
#include "programs/common/log.h"
#include "programs/guardian/address_thread.h"
#include "programs/guardian/hold_performer.h"
#include "programs/guardian/lease_keeper.h"

namespace vipd::programs {

class Holder : public HoldPerformer {
 public:
  // Opens its sockets in advance: later there may be no descriptor left.
  Holder(Log& log, LeaseKeeper& leases);

  void begin_turn() override;
  void advertise(const HeldRouter& router, TimePoint now) override;
  void renew_addresses(const HeldRouter& router) override;
  void say_farewell(const HeldRouter& router) override;
  void remove_addresses(const HeldRouter& router) override;
  void end() override;

 private:
  bool send(const HeldRouter& router, vrrp::Priority priority);
  static std::vector<netlink::AddressChange> changes(const HeldRouter& router, bool add);
  bool remove_all(const HeldRouter& router);
  io::AdvertSender* sender(Family family);
  netlink::Socket* netlink();

  Log& log_;
  LeaseKeeper& leases_;
  std::map<Family, io::AdvertSender> senders_;
  std::optional<netlink::Socket> netlink_;
  AddressThread renewals_;
};

}  // namespace vipd::programs
