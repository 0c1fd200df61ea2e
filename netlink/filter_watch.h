// FilterWatch: tells when somebody else has touched a filter of ours at the tc hooks, or the qdisc that it
// hangs on. So nobody has to look again and again: a look waits for the kernel's lock on interfaces, which
// others may hold for seconds.
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
  // Ours have this priority and handle, on whichever interface, and one of these names.
  static Result<FilterWatch> open(std::uint32_t priority, std::uint32_t handle, std::set<std::string> names);

  int fd() const { return events_.fd(); }

  // Calls back for each interface where ours may be gone, with 0 where the kernel had to drop events:
  // anywhere. What we do ourselves is told too where it takes a filter away.
  Result<> receive(const std::function<void(std::uint32_t interface_index)>& touched);

 private:
  FilterWatch(Socket events, std::uint32_t priority, std::uint32_t handle, std::set<std::string> names)
      : events_(std::move(events)), priority_(priority), handle_(handle), names_(std::move(names)) {}

  Socket events_;
  std::uint32_t priority_;
  std::uint32_t handle_;
  std::set<std::string> names_;
};

// Does an event of the kernel's say that a filter of that place and those names may be gone? On which
// interface.
std::optional<std::uint32_t> touched_filter(const nlmsghdr& event, std::uint32_t priority,
                                            std::uint32_t handle, const std::set<std::string>& names);

}  // namespace vipd::netlink
