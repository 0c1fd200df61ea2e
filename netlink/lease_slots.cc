#include "netlink/lease_slots.h"

#include <sys/mman.h>

#include <atomic>

#include "netlink/lease_layout.h"

namespace vipd::netlink {

namespace {
constexpr std::size_t bytes = vipd_lease_slots * sizeof(vipd_lease_slot);
}

Result<LeaseSlots> LeaseSlots::map(int fd) {
  auto* memory = mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (memory == MAP_FAILED) return system_failure("mapping the memory of the leases");
  return LeaseSlots(static_cast<vipd_lease_slot*>(memory));
}

LeaseSlots::~LeaseSlots() {
  if (slots_) munmap(slots_, bytes);
}

std::uint32_t LeaseSlots::size() {
  return vipd_lease_slots;
}

void LeaseSlots::set(std::uint32_t slot, TimePoint until) {
  if (slot >= size()) return;
  const auto nanoseconds = static_cast<std::uint64_t>(until.time_since_epoch().count());
  std::atomic_ref<std::remove_reference_t<decltype(slots_->until)>>(slots_[slot].until).store(nanoseconds);
}

void LeaseSlots::clear(std::uint32_t slot) {
  set(slot, TimePoint{});
}

TimePoint LeaseSlots::until(std::uint32_t slot) const {
  if (slot >= size()) return {};
  std::atomic_ref<std::remove_reference_t<decltype(slots_->until)>> until(slots_[slot].until);
  return TimePoint{Duration{static_cast<std::int64_t>(until.load())}};
}

std::uint64_t LeaseSlots::drops(std::uint32_t slot) const {
  if (slot >= size()) return 0;
  return std::atomic_ref<std::remove_reference_t<decltype(slots_->drops)>>(slots_[slot].drops).load();
}

}  // namespace vipd::netlink
