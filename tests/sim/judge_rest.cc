// The Judge when nothing has happened for long enough that everything must have its place.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tests/sim/judge.h"
#include "tests/sim/lan.h"
#include "tests/sim/sentences.h"

namespace vipd::sim {

namespace {
using namespace std::chrono_literals;
}  // namespace

void Judge::look_closely() {
  changed_ = true;
  changed_hosts_ = ~0U;
  look();
  if (broken()) return;
  for (const auto& island : islands_)
    for (std::size_t group = 0; group < lan_.setup().groups.size(); ++group) {
      const auto& [entry, key, pool] = lan_.setup().groups[group];
      if (key.family != island.family || !settled(island, entry, true, true, true)) continue;
      look_at_rest(island, group);
      if (!lan_.weather().filtered) look_at_families(island, entry);
    }
}

void Judge::look_at_rest(const Island& island, std::size_t group) {
  const auto entry = lan_.setup().groups[group].entry;
  Hosts active;
  Hosts answering;
  bool somebody_could = false;
  for (const auto* host : island.hosts) {
    if (host->program() == Program::held) return;  // until there is a router again
    if (repairs_addresses(*host, group) && !host->answers(group)) return;
    // Those that it replaces have not heard of it: look() gives them the time for it.
    if (host->active(group) && host->router(group).became_active + lan_.setup().moment() > lan_.now()) return;
    somebody_could |= host->fit_since(group) + settling(entry) < lan_.now();
    if (host->active(group) && host->awake() && host->kernel().has_link()) active.push_back(host);
    // Where no program runs, or it is asleep, no program removes addresses that were added by hand.
    const bool by_hand = (!host->alive() || !host->awake()) &&
                         !host->kernel().has_ours(lan_.setup().groups[group].pool.front());
    if (host->answers(group) && !by_hand) answering.push_back(host);
  }
  if (active.size() > 1) accuse(one_active, names(active) + " are Active for " + name(group));
  if (active.empty() && somebody_could) accuse(never_none, "nobody is Active for " + name(group));
  if (active != answering)
    accuse(held_by_active, fmt::format("for {} {} Active and {} answering", name(group),
                                       active.empty() ? "nobody is" : names(active) + " is",
                                       answering.empty() ? "nobody is" : names(answering) + " is"));
  if (active.size() != 1) return;
  const auto theirs = active.front()->due_priority(entry);
  for (const auto* host : island.hosts) {
    if (host == active.front() || !host->eligible(group) || host->router(group).yielded) continue;
    if (host->fit_since(group) + settling(entry) > lan_.now()) continue;
    if (host->due_priority(entry) <= theirs) continue;
    const auto fell = active.front()->router(group).fell;
    const auto calm_since = std::max({island.clear_since, network_fault_, process_fault_, host->changed(),
                                      host->router(group).since, host->fit_since(group)});
    const bool has_seen_it_fall = fell > calm_since + settling(entry) && !host->setup().plain;
    if (host->running(entry).preempt_mode || is_owner(*host, entry) || has_seen_it_fall)
      accuse(best_wins, fmt::format("{} has {} and is Backup for {}, {} has {} and is Active", host->name(),
                                    host->due_priority(entry), name(group), active.front()->name(), theirs));
  }
  look_at_neighbors(island, group, *active.front());
}

void Judge::look_at_neighbors(const Island& island, std::size_t group, const Host& active) {
  for (const auto* host : island.hosts)
    for (std::size_t i = 0; i < active.running(lan_.setup().groups[group].entry).addresses; ++i) {
      const auto& known = lan_.neighbor(host->index(), group, i);
      if (known.host == active.index() || lan_.now() < told_by(island, group, active, known)) continue;
      accuse(neighbors_know,
             fmt::format("a client beside {} asks {} for {}, {} is Active", host->name(),
                         known.host == stranger     ? "a stranger"
                         : known.host == most_hosts ? "nobody"
                                                    : lan_.hosts()[known.host]->name(),
                         to_string(lan_.setup().groups[group].pool[i].address), active.name()));
    }
}

// When a client that sends to another host must have heard an announcement of the Active.
Moment Judge::told_by(const Island& island, std::size_t group, const Host& active,
                      const Neighbor& known) const {
  const auto& router = active.router(group);
  const auto entry = lan_.setup().groups[group].entry;
  // It was told before this Active became one, or before it heard of the other: it announces at once, and may
  // be overtaken by what the other has sent before, if it announces once only.
  const bool once = active.setup().plain || active.running(entry).announce.repeat < 2;
  if (known.lost == long_ago && (once ? known.when : known.sent) < router.must_announce)
    return router.must_announce + lan_.setup().moment();
  if (active.setup().plain) return not_ever;
  const auto undisturbed = std::max({island.clear_since, network_fault_, router.must_announce, router.since,
                                     active.adopted(), active.woken(), active.fit_since(group)});
  // A stranger's claim is answered at most every ten seconds, after three intervals without a word from
  // another router of the group; else that one is taken for who has announced.
  const auto& said = said_[group];
  if (known.host == stranger && known.lost == long_ago &&
      undisturbed + with_drift(7 * interval(entry)) < known.when && said.host == active.index() &&
      said.since + with_drift(7 * interval(entry)) < known.when)
    return known.when + with_drift(std::max(3 * interval(entry), Duration(10s))) + lan_.setup().moment();
  // No host knows what the client believes: `refresh` is for that, after the rounds of `repeat`.
  constexpr Duration rounds = 4s;
  return std::max({undisturbed, known.when, known.lost}) +
         with_drift(active.running(entry).announce.refresh + rounds) + lan_.setup().moment();
}

void Judge::look_at_families(const Island& island, std::size_t entry) {
  if (lan_.setup().families(entry) < 2) return;
  // A plain router does not know that the families belong together, and a guardian keeps what its router had;
  // and of two equals neither is the better one.
  for (const auto* host : island.hosts) {
    if (host->setup().plain || host->program() == Program::held) return;
    for (const auto* other : island.hosts)
      if (other != host && other->due_priority(entry) == host->due_priority(entry)) return;
  }
  for (const auto* host : island.hosts) {
    std::vector<bool> active;
    for (std::size_t group = 0; group < lan_.setup().groups.size(); ++group)
      if (lan_.setup().groups[group].entry == entry) active.push_back(host->active(group));
    if (active.front() != active.back())
      accuse(together,
             fmt::format("{} is Active for one family of {}", host->name(), lan_.setup().entries[entry]));
  }
}

}  // namespace vipd::sim
