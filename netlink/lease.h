// The lease: a program of ours in the kernel that lets packets for a virtual address in, and from it out,
// only while somebody is in charge of the address here (netlink/lease.bpf.c says what it drops). It stays
// when all of us die or hang: then the lease runs out, and this host falls silent before a peer takes over.
//
// The program hangs at the tc ingress and egress of each interface with virtual addresses, beside other
// people's filters, and keeps its memory alive with it. open_lease() finds what a predecessor left attached
// and goes on with that memory, so that an expired lease stays expired and a valid one valid.
//
// Where vipd is built without it (netlink/lease_absent.cc), and where the kernel refuses, open_lease() says
// so.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "base/ip.h"
#include "base/result.h"
#include "netlink/filter.h"
#include "netlink/lease_slots.h"

namespace vipd::netlink {

// Ours among the filters of an interface; see vipd(8).
constexpr std::uint32_t lease_priority = 112;
constexpr std::uint32_t lease_handle = 112;

class Lease {
 public:
  using Address = std::pair<std::uint32_t, IpAddress>;  // on the interface with that index
  using Addresses = std::map<Address, std::uint32_t>;   // to the number of the slot

  virtual ~Lease() = default;

  // --- interfaces; an index that does not exist any more is an ENODEV that can be ignored
  // Where a filter of ours is, this program's or a predecessor's.
  virtual Result<std::set<std::uint32_t>> interfaces() = 0;
  // Atomically in place of a predecessor's. Does nothing and returns false if it is there. EBUSY: somebody
  // else's filter has our place.
  virtual Result<bool> attach(std::uint32_t interface_index) = 0;
  // With the qdisc, if that is of our making and nobody else uses it.
  virtual Result<> detach(std::uint32_t interface_index) = 0;

  // Somebody else may have taken it off an interface: events_fd() is to be watched for reading, and the
  // interface, with 0 all of them, to be attached to again. Our own detach() is told as well.
  using Touched = std::function<void(std::uint32_t interface_index)>;
  virtual int events_fd() const = 0;
  virtual Result<> receive_events(const Touched& touched) = 0;

  // --- guarded addresses
  virtual Result<> guard(const Address& address, std::uint32_t slot) = 0;  // E2BIG: there is no more room
  virtual Result<> release(const Address& address) = 0;
  virtual Result<Addresses> guarded() = 0;

  // --- the leases
  virtual LeaseSlots& slots() = 0;
  virtual int slots_fd() const = 0;          // for LeaseSlots::map in another program of ours
  virtual bool is_adopted() const = 0;       // the memory is a predecessor's
  virtual int program(Hook hook) const = 0;  // its descriptor
};

// EPERM: that takes CAP_BPF, outside of any user namespace; finding a predecessor's memory takes
// CAP_SYS_ADMIN, without which it begins anew. ENOSYS: not built in.
Result<std::unique_ptr<Lease>> open_lease();

}  // namespace vipd::netlink
