// Hold: what the router leaves in memory shared with the guardian, so that the guardian can go on in its
// place, and a new router can go on where it stopped.
//
// The router writes; nobody waits. Two copies of the state take turns: a writer that dies in mid-write leaves
// the other one whole. What changes with each advertisement (the deadlines) stands beside them as plain
// numbers. The guardian reads when the router is dead or hangs.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>
#include <vector>

#include "base/archive.h"
#include "io/shared_memory.h"
#include "vrrp/packet.h"
#include "vrrp/status.h"

namespace vipd::daemon {

// What an Active sends and serves.
struct HeldRouter {
  vrrp::RouterKey key;
  std::uint32_t interface_index = 0;
  IpAddress source;
  vrrp::Advertisement advertisement;
  std::vector<Prefix> addresses;
  Duration dead_man{};
};

struct HoldState {
  vrrp::Snapshot snapshot;
  std::vector<HeldRouter> held;  // those that are Active
};

class Hold {
 public:
  static Result<Hold> create();          // the guardian
  static Result<Hold> adopt(io::Fd fd);  // the router

  int fd() const { return memory_.fd(); }

  // --- the router ---
  // The whole state; keeps the order of snapshot.routers for set_deadline. ENOSPC: it is too large.
  Result<> write(const HoldState& state);
  // Adver_Timer or Active_Down_Timer of the nth router.
  void set_deadline(std::size_t router, TimePoint deadline);
  void beat(TimePoint now);  // once a turn of the loop: the router is alive

  // --- the guardian ---
  std::optional<HoldState> read() const;  // deadlines put in; nothing if nothing was written
  TimePoint last_beat() const;
  void clear();  // before a new router starts from nothing

 private:
  explicit Hold(io::SharedMemory memory) : memory_(std::move(memory)) {}
  struct Header;
  Header& header() const;

  io::SharedMemory memory_;
};

template <class A>
void fields(A& a, Is<HeldRouter> auto& h) {
  a(h.key, h.interface_index, h.source, h.advertisement, h.addresses, h.dead_man);
}
template <class A>
void fields(A& a, Is<HoldState> auto& h) {
  a(h.snapshot, h.held);
}

}  // namespace vipd::daemon
