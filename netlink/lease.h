// The lease: a vipd program in the kernel that passes packets to and from a virtual address only while a
// process on this host is responsible for the address (netlink/lease.bpf.c lists what it drops). It stays
// when all of vipd dies or hangs: then the lease runs out, and this host falls silent before a peer takes
// over.
//
// The program is attached to the tc ingress and egress of each interface with virtual addresses, beside the
// filters of other programs, and keeps its memory alive. open_lease() finds what a predecessor left attached
// and continues with that memory, so that an expired lease stays expired and a valid one valid.
//
// If vipd is built without it (netlink/lease_absent.cc), or if the kernel refuses it, open_lease() returns an
// error.
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

// vipd's own place among the filters of an interface; see vipd(8).
constexpr std::uint32_t lease_priority = 112;
constexpr std::uint32_t lease_handle = 112;

class Lease {
 public:
  using Address = std::pair<std::uint32_t, IpAddress>;  // on the interface with that index
  using Addresses = std::map<Address, std::uint32_t>;   // to the number of the slot

  virtual ~Lease() = default;

  // --- interfaces; ENODEV for an index that no longer exists can be ignored
  // The interfaces with a filter of ours, from this program or a predecessor.
  virtual Result<std::set<std::uint32_t>> interfaces() = 0;
  // Atomically replaces a predecessor's filter. Does nothing and returns false if ours is already attached.
  // EBUSY: a filter of another program has our place.
  virtual Result<bool> attach(std::uint32_t interface_index) = 0;
  // Also removes the qdisc, if vipd made it and no other program uses it.
  virtual Result<> detach(std::uint32_t interface_index) = 0;

  // Another program may have removed our filter from an interface: watch events_fd() for reading. The
  // callback gets the interface to attach to again; 0: all of them. Also called after our own detach().
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

// EPERM: it needs CAP_BPF, outside of any user namespace; finding a predecessor's memory needs CAP_SYS_ADMIN,
// without which it starts afresh. ENOSYS: not built in.
Result<std::unique_ptr<Lease>> open_lease();

}  // namespace vipd::netlink
