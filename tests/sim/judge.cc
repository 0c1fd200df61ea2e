#include "tests/sim/judge.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "tests/sim/lan.h"
#include "tests/sim/sentences.h"

namespace vipd::sim {

namespace {
using namespace std::chrono_literals;
using vrrp::StateName;
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

// Until one host is Active; until two have heard each other; until the one that left stops to serve; until
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
  remembers(group, std::min(interval, 3 * own));
  last_words_[group] = lan_.now();
}

void Judge::remembers(std::size_t group, Duration interval) {
  auto& longest = phases_.front()[lan_.setup().groups[group].entry];
  longest = std::max(longest, interval);
  intervals_change();
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
  const bool refused = std::any_of(island.hosts.begin(), island.hosts.end(),
                                   [&](const Host* host) { return repairs_addresses(*host, group); });
  if (gap > Duration::zero() && !refused && settled(island, entry, true, true, false) &&
      now > gap_excused_[entry] && fit_for_long != not_ever && gap_begun != not_ever &&
      fit_for_long < std::min(gap_begun - 2 * interval(entry) - release_allowance, farewell_heard) &&
      same_interval(island, entry))
    accuse(no_gap, fmt::format("nobody of {} answered for {} for {} s", names(island.hosts), name(group),
                               scenarios::seconds(gap)));
}

// The kernel refuses them, or they were removed by hand: the router is about to restore them, or just has.
bool Judge::repairs_addresses(const Host& host, std::size_t group) const {
  return host.active(group) && host.meddled_until() > lan_.now();
}

bool Judge::same_interval(const Island& island, std::size_t entry) const {
  return std::all_of(island.hosts.begin(), island.hosts.end(),
                     [&](const Host* host) { return interval_of(*host, entry) == longest_[entry]; });
}

// The lease ends 2.5 intervals after an advertisement, others take over after three: if all mean the same by
// an interval, and none is an address owner, which does not wait.
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

}  // namespace vipd::sim
