// The state of the engine as plain values: for vipctl, metrics and logs; and the snapshot from which a
// restarted router continues where its predecessor stopped.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/archive.h"
#include "base/time.h"
#include "vrrp/packet.h"
#include "vrrp/parameters.h"
#include "vrrp/priority.h"

namespace vipd::vrrp {

enum class StateName : std::uint8_t { initialize, backup, active };  // section 6.4

std::string_view to_string(StateName state);  // "Initialize", "Backup", "Active"

using DiscardCounters = std::array<std::uint64_t, decode_error_count>;  // indexed by DecodeError

struct Counters {
  std::uint64_t advertisements_sent = 0;
  std::uint64_t advertisements_received = 0;  // valid ones
  std::uint64_t priority_zero_sent = 0;
  std::uint64_t priority_zero_received = 0;
  std::uint64_t became_active = 0;
  std::uint64_t interval_mismatches = 0;      // section 5.2.7: accepted, counted
  std::uint64_t address_list_mismatches = 0;  // section 7.1: accepted, counted
  std::uint64_t trailing_bytes = 0;           // packets with bytes after the last address
  std::uint64_t reassertions = 0;             // immediate answers to an inferior Active (section 6.4.3)
  std::uint64_t reassertions_suppressed = 0;  // ... suppressed by the rate limit
  std::uint64_t addresses_restored = 0;       // removed by another program, restored
  std::uint64_t address_claims = 0;           // another host claimed an address of an Active
  DiscardCounters discarded{};
  bool operator==(const Counters&) const = default;
};

// The router whose advertisement was last accepted or discarded.
struct Peer {
  IpAddress address;
  Priority priority = 0;
  Centiseconds interval{};
  TimePoint heard{};
  bool operator==(const Peer&) const = default;
};

// Another host claims a virtual address of an Active.
struct AddressClaim {
  IpAddress address;
  MacAddress mac;  // all zeros: unknown
  TimePoint heard{};
  std::uint64_t times = 0;  // since this node became Active
  bool operator==(const AddressClaim&) const = default;
};

struct RouterStatus {
  VirtualRouterConfig config;
  StateName state = StateName::initialize;
  Priority priority = 0;                 // effective
  TimePoint since{};                     // of the state
  std::string reason;                    // of the last change of state, a sentence
  std::vector<std::string> obstacles;    // why it is in Initialize
  std::vector<std::string> explanation;  // of the priority
  std::optional<IpAddress> primary_address;
  Duration active_adver_interval{};   // learnt; ours while Active
  std::optional<TimePoint> deadline;  // Adver_Timer or Active_Down_Timer
  std::optional<Peer> peer;
  std::optional<IpAddress> followed;   // the Active that a Backup waits for
  ChecksumForm checksum{};             // of the advertisements sent (IPv4)
  bool yielded = false;                // gave way by `vipctl switch`
  bool on_trial = false;               // gave way to a router never heard before, which must advertise again
  bool releasing = false;              // has left, and serves until it hears the successor
  std::optional<AddressClaim> claim;   // the last one
  std::optional<IpAddress> deaf_peer;  // the router that is Active too and does not hear this node
  std::vector<Prefix> addresses_present;  // the virtual addresses that are in the kernel
  Counters counters;
};

struct Status {
  TimePoint now{};
  std::vector<RouterStatus> routers;
  std::map<std::string, DiscardCounters> discarded;  // by interface: packets that belong to no virtual router
  CheckFacts checks;
};

// The state from which a restarted router continues. Time points are of the same boot and clock.
struct RouterSnapshot {
  RouterKey key;
  StateName state = StateName::initialize;
  Priority priority = 0;  // effective
  TimePoint since{};
  std::string reason;
  Duration active_adver_interval{};
  TimePoint deadline{};  // Adver_Timer or Active_Down_Timer
  std::optional<Peer> peer;
  int announced = 0;  // rounds of announcements that an Active has sent
  bool yielded = false;
  std::optional<TimePoint> release_until;
  std::optional<ChecksumForm> checksum_heard;
  Counters counters;
};

struct Snapshot {
  std::vector<RouterSnapshot> routers;
  CheckFacts checks;
  std::vector<std::string> awaited;  // configured checks without a result yet
};

// Why the virtual router is in its state and has its priority: sentences for `vipctl explain`.
std::vector<std::string> explain(const RouterStatus& router, TimePoint now);

// Refuses a command for this name, and proposes the nearest name that exists.
std::string no_such_entry(const Status& status, const std::string& name);

constexpr bool known(StateName state) {
  return state <= StateName::active;
}
template <class A>
constexpr void fields(A& a, Is<Counters> auto& c) {
  a("advertisements_sent", c.advertisements_sent)("advertisements_received", c.advertisements_received)(
      "priority_zero_sent", c.priority_zero_sent)("priority_zero_received", c.priority_zero_received)(
      "became_active", c.became_active)("interval_mismatches", c.interval_mismatches)(
      "address_list_mismatches", c.address_list_mismatches)("trailing_bytes", c.trailing_bytes)(
      "reassertions", c.reassertions)("reassertions_suppressed", c.reassertions_suppressed)(
      "addresses_restored", c.addresses_restored)("address_claims", c.address_claims)("discarded",
                                                                                      c.discarded);
}
template <class A>
constexpr void fields(A& a, Is<Peer> auto& p) {
  a("address", p.address)("priority", p.priority)("interval", p.interval)("heard", p.heard);
}
template <class A>
constexpr void fields(A& a, Is<AddressClaim> auto& c) {
  a("address", c.address)("mac", c.mac)("heard", c.heard)("times", c.times);
}
template <class A>
constexpr void fields(A& a, Is<RouterStatus> auto& r) {
  a("config", r.config)("state", r.state)("priority", r.priority)("since", r.since)("reason", r.reason)(
      "obstacles", r.obstacles)("explanation", r.explanation)("primary_address", r.primary_address)(
      "active_adver_interval", r.active_adver_interval)("deadline", r.deadline)("peer", r.peer)(
      "followed", r.followed)("checksum", r.checksum)("yielded", r.yielded)("on_trial", r.on_trial)(
      "releasing", r.releasing)("claim", r.claim)("deaf_peer", r.deaf_peer)(
      "addresses_present", r.addresses_present)("counters", r.counters);
}
template <class A>
constexpr void fields(A& a, Is<Status> auto& s) {
  a("now", s.now)("routers", s.routers)("discarded", s.discarded)("checks", s.checks);
}
template <class A>
constexpr void fields(A& a, Is<RouterSnapshot> auto& r) {
  a("key", r.key)("state", r.state)("priority", r.priority)("since", r.since)("reason", r.reason)(
      "active_adver_interval", r.active_adver_interval)("deadline", r.deadline)("peer", r.peer)(
      "announced", r.announced)("yielded", r.yielded)("release_until", r.release_until)(
      "checksum_heard", r.checksum_heard)("counters", r.counters);
}
// A Backup or an Active without a deadline would wait for ever.
inline bool valid(const RouterSnapshot& router) {
  if (router.active_adver_interval < Duration::zero() || router.announced < 0) return false;
  return router.state == StateName::initialize ||
         (is_interval(router.active_adver_interval) && router.deadline != never);
}
template <class A>
constexpr void fields(A& a, Is<Snapshot> auto& s) {
  a("routers", s.routers)("checks", s.checks)("awaited", s.awaited);
}

}  // namespace vipd::vrrp
