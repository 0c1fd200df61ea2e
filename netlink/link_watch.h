// LinkWatch: the kernel's links and addresses as snapshots. Subscribes, keeps a copy, and reports once per turn
// what has changed, each interface as a whole. When the kernel had to drop events (ENOBUFS), it reads
// everything again.
//
// Watch fd() for reading and call receive(). Events that do not change an Interface (counters, renewed
// lifetimes) are not reported.
#pragma once

#include <cstdint>
#include <string>

#include "base/interface.h"
#include "base/result.h"
#include "netlink/link_table.h"
#include "netlink/socket.h"

namespace vipd::netlink {

class LinkWatch {
 public:
  using Changed = LinkTable::Changed;

  // receive_buffer: how many bytes of events the kernel may queue; an address takes about 1 kB.
  static Result<LinkWatch> open(std::size_t receive_buffer = 8 << 20);

  int fd() const { return events_.fd(); }

  // Reads everything from the kernel and reports what differs; the first time, that is every interface. After
  // an error of receive(), call it again a little later: nothing is reported until it succeeds.
  Result<> refresh(const Changed& changed);

  // Processes the queued events, at most 1024 per call, and reports the changes. The callback may call
  // snapshot().
  Result<> receive(const Changed& changed);

  // The state at the last receive() or refresh(); index 0 if no interface has that name.
  Interface snapshot(const std::string& name) const;

  std::uint64_t overruns() const { return overruns_; }  // how often the kernel dropped events

 private:
  LinkWatch(Socket events, Socket requests) : events_(std::move(events)), requests_(std::move(requests)) {}
  void discard_events();
  Result<> read_links();
  Result<> read_addresses(Family family);
  Result<> read_all();
  void look_for_tentative();

  Socket events_;
  Socket requests_;
  LinkTable table_;
  bool stale_ = true;  // events were lost, or nothing was read yet
  std::uint64_t overruns_ = 0;
};

}  // namespace vipd::netlink
