// LeaseWriter: the leases in the router. Renews each virtual router's lease (netlink/lease.h) in the slot
// that the guardian has given it, with a store to shared memory; tells the guardian where leases are wanted,
// and people how they stand. When a lease is due is decided in vrrp/virtual_router; whether it may be
// renewed, by what the router has seen of its own advertisements.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "daemon/messages.h"
#include "netlink/lease_slots.h"

namespace vipd::daemon {

class LeaseWriter {
 public:
  // From the guardian; slots: the descriptor that came along, or -1.
  Result<> replace(Leases leases, int slots);

  // In the order of the engine's virtual routers: until TimePoint{} there is none, everything passes.
  void set(const vrrp::RouterKey& router, TimePoint until);

  std::map<vrrp::RouterKey, LeaseStatus> status() const;

 private:
  struct Entry {
    vrrp::RouterKey router;
    std::uint32_t slot = 0;
    std::optional<TimePoint> written;  // by us
  };
  Entry* find(const vrrp::RouterKey& router);

  std::optional<netlink::LeaseSlots> slots_;
  std::vector<Entry> entries_;  // by router
  std::size_t next_ = 0;        // whose turn it is when they come in order
  std::map<vrrp::RouterKey, std::string> why_not_;
};

}  // namespace vipd::daemon
