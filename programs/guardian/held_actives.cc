#include "programs/guardian/held_actives.h"

#include <algorithm>
#include <utility>

namespace vipd::programs {

namespace {
// The router renews within the last third of dead_man, and so does the guardian.
TimePoint next_renewal(const HeldRouter& router, TimePoint now) {
  return router.dead_man == Duration::zero() ? never : now + router.dead_man / 3;
}
}  // namespace

void HeldActives::begin(HoldState state, TimePoint now) {
  held_.clear();
  for (auto& router : state.held) {
    const auto known = std::find_if(state.snapshot.routers.begin(), state.snapshot.routers.end(),
                                    [&](const auto& each) { return each.key == router.key; });
    const auto due = known == state.snapshot.routers.end() ? now : known->deadline;
    const auto renewal = next_renewal(router, now);
    held_.push_back({std::move(router), due, renewal});
  }
  snapshot_ = std::move(state.snapshot);
}

std::vector<HeldActives::Lapsed> HeldActives::take_lapsed(TimePoint now) {
  std::vector<Lapsed> lapsed;
  std::erase_if(held_, [&](const Held& held) {
    const Duration interval = held.router.advertisement.interval;
    const auto silent_for = now - held.advertisement + interval;
    if (silent_for < 3 * interval) return false;
    lapsed.push_back({held.router, silent_for});
    return true;
  });
  return lapsed;
}

// From deadline to deadline, so that lateness does not accumulate; but missed advertisements are not made up
// for.
void HeldActives::for_each_due(TimePoint now, const std::function<void(const Due&)>& perform) {
  for (auto& held : held_) {
    const Due due{held.router, held.advertisement <= now, held.renewal <= now};
    if (due.advertisement || due.renewal) perform(due);
    const Duration interval = held.router.advertisement.interval;
    if (due.advertisement) held.advertisement += interval;
    if (held.advertisement <= now) held.advertisement = now + interval;
    if (due.renewal) held.renewal = next_renewal(held.router, now);
  }
}

TimePoint HeldActives::deadline() const {
  TimePoint earliest = never;
  for (const auto& held : held_) earliest = std::min({earliest, held.advertisement, held.renewal});
  return earliest;
}

void HeldActives::for_each(
    const std::function<void(const HeldRouter&, TimePoint advertisement)>& visit) const {
  for (const auto& held : held_) visit(held.router, held.advertisement);
}

std::optional<vrrp::Snapshot> HeldActives::snapshot() const {
  auto snapshot = snapshot_;
  if (!snapshot) return std::nullopt;
  for (auto& router : snapshot->routers)
    for (const auto& held : held_)
      if (held.router.key == router.key) router.deadline = held.advertisement;
  return snapshot;
}

void HeldActives::end() {
  held_.clear();
  snapshot_.reset();
}

}  // namespace vipd::programs
