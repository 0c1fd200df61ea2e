// LeaseSlots: the memory of the leases (netlink/lease.h), shared with the kernel: one slot for each virtual
// router. Renewing a lease is a store to memory: no system call, nothing that can block.
#pragma once

#include <cstdint>
#include <utility>

#include "base/result.h"
#include "base/time.h"
#include "io/fd.h"

struct vipd_lease_slot;

namespace vipd::netlink {

class LeaseSlots {
 public:
  // Maps the descriptor of the slots, which another program may have made; it can be closed afterwards.
  static Result<LeaseSlots> map(int fd);
  LeaseSlots(LeaseSlots&& other) noexcept : slots_(std::exchange(other.slots_, nullptr)) {}
  LeaseSlots& operator=(LeaseSlots&& other) noexcept {
    std::swap(slots_, other.slots_);
    return *this;
  }
  ~LeaseSlots();

  static std::uint32_t size();

  // A number that is no slot is ignored, and has no lease.
  void set(std::uint32_t slot, TimePoint until);  // CLOCK_BOOTTIME
  void clear(std::uint32_t slot);                 // no lease: everything passes
  TimePoint until(std::uint32_t slot) const;      // TimePoint{}: no lease
  std::uint64_t drops(std::uint32_t slot) const;  // packets

 private:
  explicit LeaseSlots(vipd_lease_slot* slots) : slots_(slots) {}
  vipd_lease_slot* slots_ = nullptr;
};

}  // namespace vipd::netlink
