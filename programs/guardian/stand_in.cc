#include "programs/guardian/stand_in.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/time.h"
#include "events/names.h"
#include "programs/common/clock.h"

namespace vipd::programs {

StandIn::StandIn(Log& log, EventHub& events, LeaseKeeper& leases, Hold& hold)
    : log_(log), events_(events), hold_(hold), holder_(log, leases) {}

// If it is too late to hold, the holder removes the addresses.
bool StandIn::begin_for_the_dead() {
  auto left = hold_.read();
  if (!left || left->held.empty()) {
    hold_.clear();
    return false;
  }
  log_.notice("all programs of vipd were killed: continuing where they stopped");
  since_ = now();
  holder_.begin(std::move(*left), since_);
  return true;
}

void StandIn::router_ended(bool was_ready, bool planned) {
  if (!holding() || late_) since_ = now();
  // A router that we held for, or a replacement that died before it was ready, has no newer state than ours.
  const bool known = late_ ? hold_.last_beat() == last_moved_ : !was_ready && holding();
  late_ = false;
  if (!known)
    if (auto left = hold_.read()) holder_.begin(std::move(*left), now());
  if (!holding() || planned || told_) return;
  events_.tell(events::held, "vipd-router ended: the guardian advertises in its place");
  told_ = true;
}

void StandIn::router_ready() {
  if (holding()) tell_end("a new vipd-router continues where the last one stopped");
  holder_.end();
  since_ = never;
}

void StandIn::last_will() {
  holder_.last_will();
}

void StandIn::tick(TimePoint now, bool present) {
  if (present) watch(now);
  holder_.tick(now);
  if (late_) {
    holder_.tell(hold_);
  } else if (holding() && now - since_ > longest_hold) {
    events_.tell(events::given_up, fmt::format("no vipd-router for {}: the guardian gives up the addresses",
                                               in_words(longest_hold)));
    holder_.last_will();
    hold_.clear();
  }
}

TimePoint StandIn::deadline(bool present) const {
  return std::min({holder_.deadline(), present && !late_ ? hold_.overdue() : never,
                   holding() && !late_ ? since_ + longest_hold : never});
}

// The guardian advertises in place of a late router, so that no peer takes over; when the router moves again,
// it learns of these advertisements and continues.
void StandIn::watch(TimePoint now) {
  if (late_ && hold_.last_beat() != last_moved_) {
    late_ = false;
    holder_.end();
    tell_end("vipd-router runs again and continues");
  }
  if (late_ || hold_.overdue() > now) return;
  last_moved_ = hold_.last_beat();
  late_ = true;
  auto state = hold_.read();
  if (!state) return;
  holder_.begin(std::move(*state), now);
  // Else there is no Active, or the guardian has stalled together with the router, for too long.
  if (!holding()) return;
  // Rate-limited for a router that is late again and again.
  told_ |= events_.tell_if_due(
      "late", events::held,
      fmt::format("vipd-router has not run for {}: the guardian advertises in its place",
                  to_string(std::chrono::floor<std::chrono::milliseconds>(now - last_moved_))));
}

void StandIn::tell_end(const std::string& how) {
  if (std::exchange(told_, false)) events_.tell(events::hold_ended, how);
}

}  // namespace vipd::programs
