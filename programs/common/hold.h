// Hold: the state of the router in memory shared with the guardian, so that the guardian can hold for it and
// a new router can continue where it stopped.
//
// The router writes, without locks. Two copies of the state take turns: a writer that dies in mid-write
// leaves the other one complete. Each says which format it has, because an upgrade replaces the programs one
// after the other. The deadlines, which change with each advertisement, are beside them as plain numbers. The
// guardian reads when the router is dead or late, and writes beside them which advertisements it has sent in
// place of a late router.
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

namespace vipd::programs {

// The advertisements and addresses of an Active.
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
  std::vector<HeldRouter> held;  // the Actives
};

class Hold {
 public:
  static Result<Hold> create();          // the guardian
  static Result<Hold> adopt(io::Fd fd);  // the router

  int fd() const { return memory_.fd(); }

  // --- the router ---
  // Writes the whole state; keeps the order of snapshot.routers for set_deadline. ENOSPC: it is too large.
  // format: the one that the guardian reads.
  Result<> write(const HoldState& state, ArchiveFormat format = ArchiveFormat::tagged);
  // Adver_Timer or Active_Down_Timer of the nth router, and when the guardian must hold for it (never: it is
  // not Active).
  void set_deadline(std::size_t router, TimePoint deadline, TimePoint overdue);
  void beat(TimePoint now);  // in each turn of the loop: the router is alive
  // The routers that the guardian has advertised for since the last call, with the time of the next
  // advertisement.
  std::vector<std::pair<vrrp::RouterKey, TimePoint>> take_held();

  // --- the guardian ---
  std::optional<HoldState> read();  // with the deadlines; nothing if nothing was written
  TimePoint last_beat() const;
  TimePoint overdue() const;  // the earliest time to hold for a router; never: none is Active
  // One advertisement was sent in place of this router of the state read last; the next one is due at that
  // time.
  void held(const vrrp::RouterKey& router, TimePoint due);
  void clear();  // before a new router starts without a state

 private:
  explicit Hold(io::SharedMemory memory) : memory_(std::move(memory)) {}
  struct Header;
  Header& header() const;
  std::optional<HoldState> read_once(std::uint64_t& version) const;

  io::SharedMemory memory_;
  std::uint64_t version_ = 0;           // of the state that was written or read last
  std::vector<vrrp::RouterKey> order_;  // of its routers
  std::vector<std::uint8_t> bytes_;     // memory for the next copy
};

template <class A>
constexpr void fields(A& a, Is<HeldRouter> auto& h) {
  a("key", h.key)("interface_index", h.interface_index)("source", h.source)("advertisement", h.advertisement)(
      "addresses", h.addresses)("dead_man", h.dead_man);
}
// Whatever the router has written, the guardian sends only an advertisement.
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
constexpr void fields(A& a, Is<HoldState> auto& h) {
  a("snapshot", h.snapshot)("held", h.held);
}

}  // namespace vipd::programs
