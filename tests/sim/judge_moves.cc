// The Judge at the moment when the Active changes: whether this one may take over, and whether it is the
// best.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tests/sim/judge.h"
#include "tests/sim/lan.h"
#include "tests/sim/sentences.h"

namespace vipd::sim {

namespace {
using vrrp::StateName;

constexpr Duration remembered = std::chrono::minutes(1);  // what its predecessor knew
}  // namespace

void Judge::state_changed(const Host& host, std::size_t group, StateName from) {
  changed_ = true;
  // Who has been Active for a moment only may have been heard by some, and what others said about it may be
  // on its way.
  if (from == StateName::active && host.router(group).became_active + lan_.setup().moment() > lan_.now())
    excuse_gap(lan_.setup().groups[group].entry);
  // Unless the families were apart before: to bring them together is right at any time.
  if (nobody_moves_ && host.router(group).state == StateName::active &&
      !is_active_for_another_family(host, lan_.setup(), group))
    accuse(together,
           fmt::format("{} becomes Active for {}, while only the other family is silent, for a while",
                       host.name(), name(group)));
  if (broken() || from != StateName::backup || host.router(group).state != StateName::active) return;
  const auto& island = island_of(host, lan_.setup().groups[group].key.family);
  if (!settled(island, lan_.setup().groups[group].entry, true, false, false)) return;
  judge_take_over(island, group, host);
  judge_succession(island, group, host);
}

// A Backup becomes Active beside an Active that it could hear: it must be allowed to.
void Judge::judge_take_over(const Island& island, std::size_t group, const Host& host) {
  const auto entry = lan_.setup().groups[group].entry;
  const auto now = lan_.now();
  const auto interval_here = interval_of(host, entry);
  auto shortest = interval_here;
  for (const auto* each : island.hosts) shortest = std::min(shortest, interval_of(*each, entry));
  const bool just_there = host.fit_since(group) + 5 * interval(entry) > now;
  for (const auto* other : island.hosts) {
    if (other == &host || !other->active(group) || !other->awake() || !other->kernel().has_link()) continue;
    const auto& active = other->router(group);
    const auto race = interval(entry) / 20 + lan_.setup().moment();
    if (active.sent + 2 * interval_of(*other, entry) < now) continue;  // it was silent
    if (active.since + race > now) continue;                           // both have succeeded a third
    // A third has said farewell, and the Active's answer was there before it.
    if (farewells_[group] + interval(entry) + lan_.setup().moment() > now &&
        (active.sent >= farewells_[group] || other->program() == Program::held))
      continue;
    // One that has just learnt a short interval, from a router that then stepped down, does not know a long
    // one.
    if (interval_of(*other, entry) > 2 * shortest) continue;
    const auto lately = now - 2 * active_down_bound(entry);
    if (host.woken() > lately) continue;  // it has not been listening
    if (just_there && interval_of(*other, entry) > interval_here)
      continue;  // it cannot know the interval yet
    // What a router program had decided when it died, and not said, its guardian does not say either.
    const auto due = other->due_priority(entry);
    const auto theirs = other->program() == Program::held ? std::min(due, active.told) : due;
    // It is a guardian's that does not listen, while another is Active; or has been silent until a moment
    // ago.
    const bool outdone = std::any_of(island.hosts.begin(), island.hosts.end(), [&](const Host* each) {
      return each != &host && each->active(group) && each->due_priority(entry) > theirs;
    });
    if (outdone || active.resumed + interval(entry) + lan_.setup().moment() > now) continue;
    if (other->adopted() + with_drift(interval(entry)) > now) continue;  // what it has become is not told yet
    if (other->changed() + lan_.setup().moment() > now) continue;        // or is on its way
    const bool better = host.due_priority(entry) > theirs;
    const bool unwell = theirs < other->running(entry).priority;
    // From its predecessor; for as long as its own priority was too low to make use of it.
    const bool knows_better = host.adopted() + remembered > now;
    // No other host was heard between two lives of it: to others they are one.
    const bool was_better = said_[group].host == other->index() && said_[group].best > theirs;
    const bool fallen = (active.best > theirs || was_better || unwell || knows_better) && !host.setup().plain;
    const bool preempts =
        ((host.running(entry).preempt_mode || is_owner(host, entry)) && !host.router(group).yielded) ||
        host.router(group).yielded_until > lately || is_active_for_another_family(host, lan_.setup(), group);
    if (better && (preempts || fallen)) continue;
    accuse(
        left_alone,
        fmt::format("{} ({}{}) becomes Active for {} beside {} ({})", host.name(), host.due_priority(entry),
                    host.router(group).yielded ? ", has given way" : "", name(group), other->name(), theirs));
  }
}

// Skew_Time lets the best Backup come first, where it is longer than clocks and messages are apart.
void Judge::judge_succession(const Island& island, std::size_t group, const Host& host) {
  const auto entry = lan_.setup().groups[group].entry;
  const auto now = lan_.now();
  const auto one = interval(entry);
  const auto as_before = [&](const Host& each) {
    return each.fit_since(group) + 2 * active_down_bound(entry) < now &&
           each.changed() + 2 * active_down_bound(entry) < now &&
           each.woken() + 2 * active_down_bound(entry) < now && interval_of(each, entry) == one;
  };
  if (!as_before(host)) return;
  // Better Backups wait once more while the other family is not silent: who has that one comes first.
  if (is_active_for_another_family(host, lan_.setup(), group)) return;
  // A plain router does not wait for the other family.
  if (lan_.setup().families(entry) > 1 && std::any_of(island.hosts.begin(), island.hosts.end(),
                                                      [](const Host* each) { return each->setup().plain; }))
    return;
  for (const auto* other : island.hosts) {
    if (other == &host) continue;
    if (other->active(group)) return;
    // One that was Active in between, but not for long: the better Backups did not follow it, and wait by the
    // interval of another host.
    if (other->router(group).became_active + 2 * active_down_bound(entry) > now &&
        other->router(group).since + 2 * active_down_bound(entry) > now)
      return;
  }
  for (const auto* other : island.hosts) {
    if (other == &host || !as_before(*other) || other->router(group).state != StateName::backup ||
        other->router(group).yielded || other->setup().plain)
      continue;
    const auto ahead =
        vrrp::skew_time(host.due_priority(entry), one) - vrrp::skew_time(other->due_priority(entry), one);
    if (ahead > one / 20 + lan_.setup().moment())
      accuse(best_succeeds,
             fmt::format("{} ({}) becomes Active for {} before {} ({})", host.name(),
                         host.due_priority(entry), name(group), other->name(), other->due_priority(entry)));
  }
}

}  // namespace vipd::sim
