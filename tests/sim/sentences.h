// The sentences that the Judge checks, and the allowances that they share. README.md explains each.
#pragma once

#include "tests/sim/lan.h"

namespace vipd::sim {

inline constexpr auto one_active = "there is at most one Active within a healed LAN after a bounded time";
inline constexpr auto never_none = "nobody being Active ends within Active_Down_Interval";
inline constexpr auto held_by_active = "an address is held exactly by an Active";
inline constexpr auto no_gap = "a planned handover has no gap";
inline constexpr auto best_wins = "with Preempt_Mode the best is Active";
inline constexpr auto left_alone = "an Active that nobody may replace is left alone";
inline constexpr auto best_succeeds = "when the Active goes, the best Backup succeeds it";
inline constexpr auto bounded_adverts =
    "advertisements are bounded: regular ones, and four immediate answers an interval";
inline constexpr auto no_busy_loop = "no busy loop: time that is waited for passes";
inline constexpr auto listens_first =
    "who stood still for three intervals says nothing before it has listened";
inline constexpr auto two_never_answer = "two hosts never answer for one address while the LAN is well";
inline constexpr auto together = "both families of an entry are Active on the same host";
inline constexpr auto tells_truth = "an Active advertises the priority and the interval that it has";
inline constexpr auto lifetimes = "the addresses of an Active have their lifetime, and it does not end";
inline constexpr auto neighbors_know = "every client has been told which host is Active";

inline constexpr Duration release_allowance =
    std::chrono::milliseconds(200);  // that a leaving Active grants its successor (vrrp/release.cc)

// Clocks are apart by 1 %.
constexpr Duration with_drift(Duration duration) {
  return duration + duration / 100;
}

inline bool is_active_for_another_family(const Host& host, const Setup& setup, std::size_t group) {
  for (std::size_t other = 0; other < setup.groups.size(); ++other)
    if (other != group && setup.groups[other].entry == setup.groups[group].entry && host.active(other))
      return true;
  return false;
}

inline Duration interval_of(const Host& host, std::size_t entry) {
  return host.running(entry).interval;
}

inline bool is_owner(const Host& host, std::size_t entry) {
  return host.running(entry).priority == vrrp::owner_priority;
}

}  // namespace vipd::sim
