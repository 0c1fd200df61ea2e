// Monitor: the kernel's links and addresses as snapshots. Subscribes, keeps a copy, and tells once per turn
// what has changed, each interface as a whole. When the kernel had to drop events (ENOBUFS), reads everything
// again.
//
// Watch fd() for reading and call receive(). Events that change nothing of an Interface (counters, renewed
// lifetimes) are not passed on.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <set>
#include <string>

#include "base/interface.h"
#include "base/result.h"
#include "netlink/socket.h"

namespace vipd::netlink {

class Monitor {
 public:
  // Called for each interface that differs from what was last told. An interface that is gone (deleted,
  // renamed, moved to another namespace) is told once, with index 0, before those that have come.
  using Changed = std::function<void(const Interface&)>;

  // receive_buffer: bytes of events that the kernel may queue; an address is about 1 kB there.
  static Result<Monitor> open(std::size_t receive_buffer = 8 << 20);

  int fd() const { return events_.fd(); }

  // Reads everything from the kernel and tells what differs; the first time, that is every interface. After
  // an error of receive(), call it again a little later: until it succeeds nothing more is told.
  Result<> refresh(const Changed& changed);

  // Takes what is queued, at most 1024 events a call, and tells the changes. The callback may call
  // snapshot().
  Result<> receive(const Changed& changed);

  // As of the last receive() or refresh(); index 0 if there is none of that name.
  Interface snapshot(const std::string& name) const;

  std::uint64_t overruns() const { return overruns_; }  // how often the kernel dropped events

 private:
  // Where the kernel has an address in its list: IPv4 before IPv6, IPv4's secondary addresses last, otherwise
  // in the order of their coming.
  struct Position {
    Family family = Family::ipv4;
    bool secondary = false;
    std::uint64_t order = 0;
    auto operator<=>(const Position&) const = default;
  };
  struct Link {
    Interface interface;  // without its addresses
    std::map<Position, InterfaceAddress> addresses;
    std::map<Prefix, Position> positions;
  };

  Monitor(Socket events, Socket requests) : events_(std::move(events)), requests_(std::move(requests)) {}
  void discard_events();
  Result<> read_links();
  Result<> read_addresses(Family family);
  Result<> read_all();
  void take(const nlmsghdr& message);
  void take_link(const nlmsghdr& message);
  void take_address(const nlmsghdr& message);
  void look_for_tentative();
  void tell(const Changed& changed);
  static Interface assemble(const Link& link);

  Socket events_;
  Socket requests_;
  std::map<std::uint32_t, Link> links_;    // by index
  std::set<std::uint32_t> changed_;        // since it was last told
  std::set<std::uint32_t> started_;        // links that have come to run since
  bool names_changed_ = false;             // a link came, went or was renamed
  std::map<std::string, Interface> told_;  // by name: what the callback knows
  bool stale_ = true;                      // events were lost, or nothing was read yet
  std::uint64_t last_order_ = 0;
  std::uint64_t overruns_ = 0;
};

}  // namespace vipd::netlink
