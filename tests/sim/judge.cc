#include "tests/sim/judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tests/sim/lan.h"

namespace vipd::sim {

namespace {
using namespace std::chrono_literals;
using vrrp::StateName;

// The sentences. README.md explains each.
constexpr auto one_active = "there is at most one Active within a healed LAN after a bounded time";
constexpr auto never_none = "nobody being Active ends within Active_Down_Interval";
constexpr auto held_by_active = "an address is held exactly by an Active";
constexpr auto no_gap = "a planned handover has no gap";
constexpr auto best_wins = "with Preempt_Mode the best is Active";
constexpr Duration remembered = std::chrono::minutes(1);
constexpr auto left_alone = "an Active that nobody may replace is left alone";
constexpr auto best_succeeds = "when the Active goes, the best Backup succeeds it";
constexpr auto bounded_adverts =
    "advertisements are bounded: regular ones, and four immediate answers an interval";
constexpr auto no_busy_loop = "no busy loop: time that is waited for passes";
constexpr auto listens_first = "who stood still for three intervals says nothing before it has listened";
constexpr auto two_never_answer = "two hosts never answer for one address while the LAN is well";
constexpr auto together = "both families of an entry are Active on the same host";
constexpr auto tells_truth = "an Active advertises the priority and the interval that it has";
constexpr auto lifetimes = "the addresses of an Active have their lifetime, and it does not end";
constexpr auto neighbors_know = "every client has been told which host is Active";

constexpr Duration release_allowance =
    200ms;  // that a leaving Active grants its successor (vrrp/virtual_router.cc)

// Clocks are apart by 1 %.
constexpr Duration with_drift(Duration duration) {
  return duration + duration / 100;
}

bool is_active_for_another_family(const Host& host, const Setup& setup, std::size_t group) {
  for (std::size_t other = 0; other < setup.groups.size(); ++other)
    if (other != group && setup.groups[other].entry == setup.groups[group].entry && host.active(other))
      return true;
  return false;
}

Duration interval_of(const Host& host, std::size_t entry) {
  return host.running(entry).interval;
}

bool is_owner(const Host& host, std::size_t entry) {
  return host.running(entry).priority == vrrp::owner_priority;
}
}  // namespace

void Judge::begin() {
  const auto entries = lan_.setup().entries.size();
  longest_.assign(entries, Duration::zero());
  gap_excused_.assign(entries, long_ago);
  farewells_.assign(lan_.setup().groups.size(), long_ago);
  said_.assign(lan_.setup().groups.size(), {});
  last_words_.assign(lan_.setup().groups.size(), long_ago);
  budgets_.resize(lan_.hosts().size());
  recent_.resize(lan_.hosts().size() * lan_.setup().groups.size());
  for (auto& each : recent_) each.when.fill(long_ago);
  new_phase();
  find_islands();
}

void Judge::accuse(const char* sentence, std::string what) {
  if (violation_) return;
  violation_ = Violation{sentence, std::move(what), lan_.now()};
  lan_.say("", fmt::format("! {}: {}", sentence, violation_->what));
}

// --- time that is granted ---

// A Backup may have learnt an interval a while ago, from an Active that is gone: phases that are over count
// on.
void Judge::new_phase() {
  std::rotate(phases_.begin(), phases_.end() - 1, phases_.end());
  phases_.front().assign(longest_.size(), Duration::zero());
  for (std::size_t entry = 0; entry < longest_.size(); ++entry)
    for (const auto& host : lan_.hosts())
      phases_.front()[entry] = std::max(phases_.front()[entry], interval_of(*host, entry));
  intervals_change();
}

void Judge::intervals_change() {
  for (std::size_t entry = 0; entry < longest_.size(); ++entry) {
    for (const auto& host : lan_.hosts())
      phases_.front()[entry] = std::max(phases_.front()[entry], Duration(host->settings[entry].interval));
    longest_[entry] = Duration::zero();
    for (const auto& phase : phases_)
      if (!phase.empty()) longest_[entry] = std::max(longest_[entry], phase[entry]);
  }
}

// Three intervals and a Skew_Time of less than one (section 6.1), by the slowest clock. An entry of two
// families waits once more if one of them is silent and the other is not.
Duration Judge::active_down_bound(std::size_t entry) const {
  const int times = lan_.setup().families(entry) > 1 ? 2 : 1;
  return with_drift(times * 4 * interval(entry)) + lan_.setup().moment();
}

// Until somebody is Active; until two have heard each other; until the one that left stops to serve; until
// the addresses of the dead are gone.
Duration Judge::settling(std::size_t entry) const {
  Duration dead_man{};
  for (const auto& host : lan_.hosts()) dead_man = std::max(dead_man, host->running(entry).dead_man);
  return active_down_bound(entry) + with_drift(interval(entry)) +
         with_drift(interval(entry) + release_allowance) + dead_man + lan_.setup().moment();
}

Duration Judge::settling() const {
  Duration longest{};
  for (std::size_t entry = 0; entry < longest_.size(); ++entry) longest = std::max(longest, settling(entry));
  return longest;
}

bool Judge::settled(const Island& island, std::size_t entry, bool network, bool process, bool plans) const {
  if (island.clear_since == not_ever) return false;
  auto since = island.clear_since;
  if (network) since = std::max(since, network_fault_);
  if (process) since = std::max(since, process_fault_);
  if (plans) since = std::max(since, plan_);
  return lan_.now() > since + settling(entry);
}

void Judge::fault(Fault kind) {
  (kind == Fault::network ? network_fault_ : process_fault_) = lan_.now();
}

void Judge::planned() {
  plan_ = lan_.now();
}

// Whoever believed it waits from now on, and for as long as it said; within max_adopted_interval.
void Judge::forged(std::size_t group, Duration interval) {
  const auto entry = lan_.setup().groups[group].entry;
  Duration own{};
  for (const auto& host : lan_.hosts()) own = std::max(own, interval_of(*host, entry));
  phases_.front()[entry] = std::max(phases_.front()[entry], std::min(interval, 3 * own));
  intervals_change();
  last_words_[group] = lan_.now();
}

void Judge::excuse_gap(std::size_t entry) {
  gap_excused_[entry] = lan_.now() + active_down_bound(entry);
}

// --- islands ---

void Judge::network_changed() {
  find_islands();
  changed_ = true;
}

void Judge::find_islands() {
  islands_.clear();
  for (const auto family : {Family::ipv4, Family::ipv6}) find_islands(family);
  watches_.assign(islands_.size() * lan_.setup().groups.size(), {});
}

void Judge::find_islands(Family family) {
  const auto& hosts = lan_.hosts();
  const auto passes = [&](const Host& from, const Host& to) {
    return &from == &to || (lan_.passes(from, to) && lan_.weather().filtered != family);
  };
  std::vector<bool> placed(hosts.size());
  for (const auto& first : hosts) {
    if (placed[first->index()]) continue;
    Island island{family, {}};
    for (const auto& each : hosts)
      if (passes(*first, *each) || passes(*each, *first)) island.hosts.push_back(each.get());
    for (const auto* each : island.hosts) placed[each->index()] = true;
    bool well = lan_.weather().clear();
    for (const auto* from : island.hosts)
      for (const auto& to : hosts) {
        const bool inside =
            std::find(island.hosts.begin(), island.hosts.end(), to.get()) != island.hosts.end();
        well &= passes(*from, *to) == inside && passes(*to, *from) == inside;
      }
    if (well) island.clear_since = std::max(lan_.now(), lan_.last_arrival());
    islands_.push_back(std::move(island));
  }
}

const Judge::Island& Judge::island_of(const Host& host, Family family) const {
  return *std::find_if(islands_.begin(), islands_.end(), [&](const Island& island) {
    return island.family == family &&
           std::find(island.hosts.begin(), island.hosts.end(), &host) != island.hosts.end();
  });
}

std::string Judge::name(std::size_t group) const {
  const auto& described = lan_.setup().groups[group];
  return fmt::format("{} ({})", lan_.setup().entries[described.entry], to_string(described.key.family));
}

std::string Judge::names(const Hosts& hosts) const {
  std::vector<std::string> list;
  for (const auto* host : hosts) list.push_back(host->name());
  return fmt::format("{}", fmt::join(list, ", "));
}

// --- who is Active, who answers ---

void Judge::host_changed(const Host& host) {
  changed_ = true;
  changed_hosts_ |= 1U << host.index();
}

void Judge::look() {
  if (!changed_ || broken()) return;
  look_at_islands();
  for (const auto& host : lan_.hosts())
    if (changed_hosts_ & (1U << host->index())) look_at_host(*host);
  changed_hosts_ = 0;
}

void Judge::look_at_islands() {
  changed_ = false;
  const auto groups = lan_.setup().groups.size();
  for (std::size_t i = 0; i < islands_.size(); ++i) {
    if (islands_[i].clear_since == not_ever) continue;
    for (std::size_t group = 0; group < groups; ++group)
      if (lan_.setup().groups[group].key.family == islands_[i].family)
        evaluate(islands_[i], group, watches_[i * groups + group]);
  }
}

void Judge::evaluate(const Island& island, std::size_t group, Watch& watch) {
  const auto entry = lan_.setup().groups[group].entry;
  const auto now = lan_.now();
  int active = 0;
  int listening = 0;  // of them; a guardian that holds does not listen
  int answering = 0;
  bool helpless = false;
  bool replaceable = false;
  vrrp::Priority best = 0;
  for (const auto* host : island.hosts) {
    if (!host->active(group) || !host->awake()) continue;
    best = std::max(best, host->due_priority(entry));
    // Suspended, it has not heard the last advertisements of whom it replaces.
    watch.replaceable |= host->woken() + active_down_bound(entry) > now;
    watch.replaceable |= host->adopted() + active_down_bound(entry) > now;  // nor in a router's place
  }
  auto fit = not_ever;
  auto fit_for_long = not_ever;
  for (const auto* host : island.hosts) {
    if (host->active(group) && host->awake() && host->kernel().has_link()) {
      ++active;
      if (host->program() != Program::held) ++listening;
    }
    if (host->answers(group)) {
      ++answering;
      const bool cannot_know = !host->alive() || !host->awake() || host->program() == Program::held;
      helpless |= cannot_know;
      watch.held |= host->program() == Program::held;
      replaceable |= host->router(group).releasing;
      // An interval of more than three of its own is not believed at once (max_adopted_interval): meanwhile
      // the Active that was heard once may have been forged.
      replaceable |= 3 * interval_of(*host, entry) < interval(entry) &&
                     host->fit_since(group) + 5 * interval(entry) > now;
      replaceable |= cannot_know && (host->due_priority(entry) < best || host->router(group).left ||
                                     farewells_[group] + active_down_bound(entry) > now);
      // Two have succeeded a third at the same moment, and one has died before it could hear the other.
      for (const auto* other : island.hosts)
        replaceable |= cannot_know && other != host && other->active(group) &&
                       std::chrono::abs(other->router(group).became_active -
                                        host->router(group).became_active) <= lan_.setup().moment();
    }
    fit = std::min(fit, host->fit_since(group));
    // One that has given way and finds no successor serves on, but its lease runs out.
    const bool gave_way = host->router(group).releasing || host->router(group).yielded ||
                          host->router(group).gave_way + active_down_bound(entry) >= watch.nobody_answers;
    if (!lan_.setup().lease || !gave_way) fit_for_long = std::min(fit_for_long, host->fit_since(group));
  }
  // How long it has been so, counted from when it began or from when it became anybody's business.
  const auto lasts = [&](bool so, Moment& since, Moment from) {
    if (so && since == not_ever) since = now;
    const auto begun = since;
    if (!so) since = not_ever;
    return begun == not_ever || from > now ? Duration::zero() : now - std::max(begun, from);
  };

  const auto nobody_since = watch.nobody_active;
  const auto nobody =
      lasts(active == 0, watch.nobody_active, std::max({fit, island.clear_since, last_words_[group]}));
  // Who says its farewell again serves on, but a router by the letter of the RFC counts its Skew_Time anew.
  const bool again = nobody_since != not_ever && farewells_[group] > nobody_since;
  if (nobody > active_down_bound(entry) + (again ? with_drift(interval(entry)) : Duration::zero()))
    accuse(never_none, fmt::format("nobody of {} was Active for {} for {} s", names(island.hosts),
                                   name(group), scenarios::seconds(nobody)));

  const auto two = lasts(listening > 1, watch.two_active, std::max(island.clear_since, network_fault_));
  if (two > with_drift(interval(entry)) + lan_.setup().moment())
    accuse(one_active, fmt::format("{} of {} were Active for {} for {} s", listening, names(island.hosts),
                                   name(group), scenarios::seconds(two)));

  const bool lease = lease_protects(island, entry);
  watch.helpless |= helpless;
  watch.replaceable |= replaceable;
  const auto both = lasts(answering > 1, watch.two_answer, long_ago);
  const auto grace = watch.replaceable ? with_drift(interval(entry) * 6) : Duration::zero();
  if (both > lan_.setup().moment() + grace && (lease || !watch.helpless) && !watch.held &&
      settled(island, entry, true, !lease, false))
    accuse(two_never_answer, fmt::format("{} of {} answered for {} for {} s", answering, names(island.hosts),
                                         name(group), scenarios::seconds(both)));

  if (answering < 2) watch.helpless = watch.replaceable = watch.held = false;

  const auto gap_begun = watch.nobody_answers;
  const auto gap = lasts(answering == 0, watch.nobody_answers, long_ago);
  // Who came after a farewell waits longer.
  const bool farewell = farewells_[group] + 2 * active_down_bound(entry) > now;
  const auto farewell_heard = farewell ? farewells_[group] : not_ever;
  const bool refused = std::any_of(island.hosts.begin(), island.hosts.end(), [&](const Host* host) {
    return host->active(group) && host->meddled_until() > now;  // the kernel does not take the address
  });
  if (gap > Duration::zero() && !refused && settled(island, entry, true, true, false) &&
      now > gap_excused_[entry] && fit_for_long != not_ever && gap_begun != not_ever &&
      fit_for_long < std::min(gap_begun - 2 * interval(entry) - release_allowance, farewell_heard) &&
      same_interval(island, entry))
    accuse(no_gap, fmt::format("nobody of {} answered for {} for {} s", names(island.hosts), name(group),
                               scenarios::seconds(gap)));
}

bool Judge::same_interval(const Island& island, std::size_t entry) const {
  return std::all_of(island.hosts.begin(), island.hosts.end(),
                     [&](const Host* host) { return interval_of(*host, entry) == longest_[entry]; });
}

// The lease ends 2.5 intervals after an advertisement, others take over after three: if all mean the same by
// an interval, and nobody is an address owner, who does not wait.
bool Judge::lease_protects(const Island& island, std::size_t entry) const {
  return lan_.setup().lease && same_interval(island, entry) &&
         std::none_of(island.hosts.begin(), island.hosts.end(),
                      [&](const Host* host) { return is_owner(*host, entry); });
}

// --- one host ---

void Judge::look_at_host(const Host& host) {
  if (host.program() != Program::vipd || !host.awake()) return;
  const auto now = lan_.now();
  for (std::size_t group = 0; group < lan_.setup().groups.size(); ++group) {
    const auto& router = host.router(group);
    if (router.must_listen && now > host.woken() + lan_.setup().moment())
      accuse(listens_first, fmt::format("{} is still Active for {}", host.name(), name(group)));
    const auto& described = lan_.setup().groups[group];
    const auto due = host.due_priority(described.entry);
    const auto lately = now - lan_.setup().moment();
    if (router.state == StateName::active && router.told != due && host.kernel().usable() &&
        std::max(host.changed(), host.woken()) < lately &&
        host.ran_since_adopted() > interval(described.entry) + lan_.setup().moment())
      accuse(tells_truth, fmt::format("{} has not told for {} s that its priority for {} is {}", host.name(),
                                      scenarios::seconds(now - host.changed()), name(group), due));
    if (now < host.meddled_until() || !host.kernel().usable()) continue;
    const bool serves = router.state == StateName::active || router.releasing;
    for (std::size_t i = 0; i < described.pool.size(); ++i) {
      const bool configured = i < host.running(described.entry).addresses;
      const bool wanted = serves && configured;
      // What somebody else has put there is our business only if the configuration has it, and no owner's
      // ever.
      const bool any = wanted || (configured && !is_owner(host, described.entry));
      const bool there =
          any ? host.kernel().has(described.pool[i]) : host.kernel().has_ours(described.pool[i]);
      if (there != wanted)
        accuse(held_by_active,
               fmt::format("{} is {} for {} and has {}{}", host.name(), to_string(router.state), name(group),
                           wanted ? "not " : "", to_string(described.pool[i])));
    }
  }
}

void Judge::advertises(const Host& host, std::size_t group, const std::vector<std::uint8_t>& message) {
  const auto& router = host.router(group);
  const auto entry = lan_.setup().groups[group].entry;
  const auto priority = message[2];
  if (router.must_listen && priority != vrrp::release_priority)
    accuse(listens_first,
           fmt::format("{} advertises {} for {}, {} s after its last advertisement", host.name(), priority,
                       name(group), scenarios::seconds(lan_.now() - router.sent)));
  const auto interval_told = Duration(Centiseconds((message[4] & 0x0f) << 8 | message[5]));
  if (priority != vrrp::release_priority &&
      (priority != host.due_priority(entry) || interval_told != interval_of(host, entry)))
    accuse(tells_truth, fmt::format("{} advertises {} every {} for {}, it has {} every {}", host.name(),
                                    priority, vipd::to_string(interval_told), name(group),
                                    host.due_priority(entry), vipd::to_string(interval_of(host, entry))));
  // What waited for it while it stood still says that it has been replaced; the others hear an Active once
  // more all the same, and wait from then on.
  if (host.woken() == lan_.now() && priority != vrrp::release_priority) last_words_[group] = lan_.now();
  auto& recent = recent_[host.index() * lan_.setup().groups.size() + group];
  auto& oldest = recent.when[recent.next];
  if (lan_.now() - oldest < interval_of(host, entry) && host.changed() < oldest)
    accuse(bounded_adverts,
           fmt::format("{} has sent {} for {} within {} s", host.name(), recent.when.size() + 1, name(group),
                       scenarios::seconds(lan_.now() - oldest)));
  oldest = lan_.now();
  recent.next = (recent.next + 1) % recent.when.size();
}

void Judge::farewell(const Host& host, std::size_t group) {
  farewells_[group] = lan_.now();
  // Whom it has just replaced may not have heard of it yet, and be taken for its successor.
  if (host.router(group).became_active + lan_.setup().moment() > lan_.now())
    excuse_gap(lan_.setup().groups[group].entry);
}

void Judge::says(const Host& host, std::size_t group, vrrp::Priority priority) {
  auto& said = said_[group];
  if (said.host != host.index()) said = {host.index(), lan_.now(), 0};
  said.best = std::max(said.best, priority);
}

void Judge::gives_lifetime(const Host& host, std::size_t group, Duration valid) {
  const auto& settings = host.running(lan_.setup().groups[group].entry);
  if (valid != settings.dead_man)
    accuse(lifetimes, fmt::format("{} gives the addresses of {} {}, not {}", host.name(), name(group),
                                  vipd::to_string(valid), vipd::to_string(settings.dead_man)));
}

void Judge::lifetime_ended(const Host& host, const Prefix& prefix) {
  if (host.program() != Program::vipd || !host.awake() || lan_.now() < host.meddled_until()) return;
  for (std::size_t group = 0; group < lan_.setup().groups.size(); ++group) {
    const auto& pool = lan_.setup().groups[group].pool;
    if (std::find(pool.begin(), pool.end(), prefix) == pool.end()) continue;
    if (host.active(group))
      accuse(lifetimes, fmt::format("that of {} has ended on {}", to_string(prefix), host.name()));
  }
}

// Ticks have reasons: advertisements, answers to another Active, a few announcements, renewals, repairs. A
// loop that does not wait has thousands.
void Judge::ticks(const Host& host) {
  auto& budget = budgets_[host.index()];
  double per_second = 20;
  for (const auto& group : lan_.setup().groups)
    per_second += 3.0 / std::chrono::duration<double>(interval_of(host, group.entry)).count();
  if (budget.counted != long_ago)
    budget.left += per_second * std::chrono::duration<double>(lan_.now() - budget.counted).count();
  budget.left = std::min(budget.left, 100.0) - 1;
  budget.counted = lan_.now();
  if (budget.left < 0)
    accuse(no_busy_loop, fmt::format("{} wakes up more than {} times a second", host.name(), per_second));
}

void Judge::ticked(const Host& host, std::optional<TimePoint> next, TimePoint local) {
  if (next && *next <= local)
    accuse(no_busy_loop, host.name() + " has something due after it did what was due");
}

// --- changes of Active ---

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
    // One that has just learnt a short interval, from somebody who then stepped down, does not know a long
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
    // Nobody else was heard between two lives of it: to others they are one.
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
    // One that was Active in between, but not for long: the better Backups did not follow it and wait for
    // somebody else, by another interval.
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

// --- when everything has its place ---

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
    // Those that it replaces have not heard of it: look() gives them the time for it.
    if (host->active(group) && host->router(group).became_active + lan_.setup().moment() > lan_.now()) return;
    somebody_could |= host->fit_since(group) + settling(entry) < lan_.now();
    if (host->active(group) && host->awake() && host->kernel().has_link()) active.push_back(host);
    // Where no program runs, or it is asleep, what somebody has added by hand is nobody's business.
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

// When a client that asks somebody else must have been told of the Active.
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
  // Nobody knows what the client believes: `refresh` is for that, after the rounds of `repeat`.
  constexpr Duration rounds = 4s;
  return std::max({undisturbed, known.when, known.lost}) +
         with_drift(active.running(entry).announce.refresh + rounds) + lan_.setup().moment();
}

void Judge::look_at_families(const Island& island, std::size_t entry) {
  if (lan_.setup().families(entry) < 2) return;
  // A plain router does not know that they belong together, a guardian goes on with what was so; and nobody
  // is the better of two equals.
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
