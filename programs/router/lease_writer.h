// LeaseWriter: the leases in the router. Renews each virtual router's lease (netlink/lease.h) in the slot
// that the guardian has assigned, with a store to shared memory; tells the guardian where leases are wanted,
// and reports their state. vrrp/virtual_router decides when a lease is due; whether it may be renewed depends
// on what the router has seen of its own advertisements.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "netlink/lease_slots.h"
#include "programs/common/guardian_router_messages.h"
#include "programs/common/monitor_router_messages.h"

namespace vipd::programs {

class LeaseWriter {
 public:
  // From the guardian.
  Result<> replace(Leases leases);

  // In the order of the engine's virtual routers; TimePoint{}: no lease, every packet passes.
  void set(const vrrp::RouterKey& router, TimePoint until);

  std::map<vrrp::RouterKey, LeaseStatus> status() const;

 private:
  struct Entry {
    vrrp::RouterKey router;
    std::uint32_t slot = 0;
    std::optional<TimePoint> written;  // by this router
  };
  Entry* find(const vrrp::RouterKey& router);

  std::optional<netlink::LeaseSlots> slots_;
  std::vector<Entry> entries_;  // by router
  std::size_t next_ = 0;        // the next one if they come in order
  std::map<vrrp::RouterKey, std::string> why_not_;
};

}  // namespace vipd::programs
