// FilterWatch: notifies when another program has changed a filter of ours at the tc hooks, or the qdisc to
// which it is attached. This replaces polling, because reading the filters waits for the kernel's lock on
// interfaces, which others may hold for seconds.
//
// Watch fd() for reading and call receive().
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <utility>

#include "base/result.h"
#include "netlink/filter.h"
#include "netlink/socket.h"

namespace vipd::netlink {

class FilterWatch {
 public:
  // Our filters have this priority and handle, on any interface, and one of these names.
  static Result<FilterWatch> open(std::uint32_t priority, std::uint32_t handle, std::set<std::string> names);

  int fd() const { return events_.fd(); }

  // Calls back for each interface where our filter may be gone; with 0, meaning any interface, if the kernel
  // had to drop events. Also called when we remove a filter ourselves.
  Result<> receive(const std::function<void(std::uint32_t interface_index)>& touched);

 private:
  FilterWatch(Socket events, std::uint32_t priority, std::uint32_t handle, std::set<std::string> names)
      : events_(std::move(events)), priority_(priority), handle_(handle), names_(std::move(names)) {}

  Socket events_;
  std::uint32_t priority_;
  std::uint32_t handle_;
  std::set<std::string> names_;
};

// Returns the interface if an event of the kernel means that a filter with that place and one of those names
// may be gone.
std::optional<std::uint32_t> touched_filter(const nlmsghdr& event, std::uint32_t priority,
                                            std::uint32_t handle, const std::set<std::string>& names);

}  // namespace vipd::netlink
