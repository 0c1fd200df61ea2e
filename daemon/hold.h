// Hold: what the router leaves in memory shared with the guardian, so that the guardian can go on in its
// place, and a new router can go on where it stopped.
//
// The router writes; nobody waits. Two copies of the state take turns: a writer that dies in mid-write leaves
// the other one whole. What changes with each advertisement (the deadlines) stands beside them as plain
// numbers. The guardian reads when the router is dead or late, and leaves beside them what it has advertised
// in the place of one that was only late.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <optional>
#include <utility>
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
  // Adver_Timer or Active_Down_Timer of the nth router, and when the guardian shall see to it (never: not at
  // all, it is not Active).
  void set_deadline(std::size_t router, TimePoint deadline, TimePoint overdue);
  void beat(TimePoint now);  // once a turn of the loop: the router is alive
  // The routers that were advertised for since the last call, and when their next advertisement is due.
  std::vector<std::pair<vrrp::RouterKey, TimePoint>> take_held();

  // --- the guardian ---
  std::optional<HoldState> read();  // deadlines put in; nothing if nothing was written
  TimePoint last_beat() const;
  TimePoint overdue() const;  // the earliest that the router has left; never: nothing to be seen to
  // One advertisement of this router, of the state read last, was sent in its place; the next is due then.
  void held(const vrrp::RouterKey& router, TimePoint due);
  void clear();  // before a new router starts from nothing

 private:
  explicit Hold(io::SharedMemory memory) : memory_(std::move(memory)) {}
  struct Header;
  Header& header() const;
  std::optional<HoldState> read_once(std::uint64_t& version) const;

  io::SharedMemory memory_;
  std::uint64_t version_ = 0;           // of the state that was written or read last
  std::vector<vrrp::RouterKey> order_;  // of its routers
};

template <class A>
void fields(A& a, Is<HeldRouter> auto& h) {
  a(h.key, h.interface_index, h.source, h.advertisement, h.addresses, h.dead_man);
}
// Whatever the router has left, what the guardian sends is an advertisement.
inline bool valid(const HeldRouter& held) {
  const auto& advertisement = held.advertisement;
  const auto ours = [&](const IpAddress& address) { return address.family == held.key.family; };
  return held.key.vrid != 0 && advertisement.vrid == held.key.vrid && ours(held.source) &&
         vrrp::is_interval(advertisement.interval) && vrrp::is_pause(held.dead_man) &&
         !advertisement.addresses.empty() && advertisement.addresses.size() <= vrrp::most_addresses &&
         std::all_of(advertisement.addresses.begin(), advertisement.addresses.end(), ours) &&
         std::all_of(held.addresses.begin(), held.addresses.end(),
                     [&](const Prefix& each) { return ours(each.address); });
}
template <class A>
void fields(A& a, Is<HoldState> auto& h) {
  a(h.snapshot, h.held);
}

}  // namespace vipd::daemon
