#include "checks/schedule.h"

#include <algorithm>
#include <cassert>

#include "checks/wording.h"

namespace vipd::checks {

namespace {

constexpr Duration longest_spread = std::chrono::seconds(1);
// Per step: attempts that start together measure their time from the same moment, and starting each takes a
// while.
constexpr int most_starts = 16;
// The share of the interval by which a start may be late and still belong to its slot.
constexpr int late_start_share = 4;

// FNV-1a: the same on every machine and in every run, unlike std::hash. The fold at the end spreads names
// that differ only in their last letter.
std::uint64_t stable_hash(std::string_view text) {
  std::uint64_t hash = 0xcbf29ce484222325;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3;
  return (hash ^ (hash >> 32)) * 0x9e3779b97f4a7c15;
}

// When in the first interval the check starts: within at most a second, so that the first verdict comes soon.
Duration spread(const CheckConfig& check) {
  const auto range = std::min(check.interval, longest_spread).count();
  const auto share =
      static_cast<double>(stable_hash(check.name) >> 11) / static_cast<double>(std::uint64_t{1} << 53);
  return Duration{static_cast<Duration::rep>(share * static_cast<double>(range))};
}

// The slot after an attempt that was due at `slot` and has ended now. A slot that came during the attempt is
// still used if it has only just passed: an attempt that is ended at a bound of one or two intervals must not
// cost a further interval.
TimePoint next_slot(TimePoint slot, TimePoint started, Duration interval, TimePoint now) {
  const auto latest = slot + (now - slot) / interval * interval;
  if (latest > started && now - latest <= interval / late_start_share) return latest;
  return latest + interval;
}

}  // namespace

Schedule::Check::Check(CheckConfig check_config, Prepared check_prepared)
    : config(std::move(check_config)),
      prepared(std::move(check_prepared)),
      rise_fall(config.fall, config.rise) {
  fact.check = config.name;
}

Duration Schedule::Check::bound() const {
  return std::min(config.timeout, prepared.latency.value_or(config.timeout));
}

Schedule::Schedule(Prepare prepare, Changed changed)
    : prepare_(std::move(prepare)), changed_(std::move(changed)) {}

void Schedule::replace(const std::vector<CheckConfig>& checks, TimePoint now) {
  std::set<std::string_view> wanted;
  for (const auto& config : checks) {
    [[maybe_unused]] const bool unique = wanted.insert(config.name).second;
    assert(unique);
    const auto found = checks_.find(config.name);
    if (found == checks_.end())
      add(config, now);
    else if (!(found->second.config == config))
      change(found->second, config, now);
  }
  for (auto it = checks_.begin(); it != checks_.end();) {
    if (wanted.contains(it->first)) {
      ++it;
      continue;
    }
    deadlines_.erase({it->second.deadline, it->first});
    it = checks_.erase(it);
  }
}

void Schedule::add(const CheckConfig& config, TimePoint now) {
  const auto [it, added] = checks_.try_emplace(config.name, config, prepare_(config));
  auto& check = it->second;
  check.slot = check.deadline = now + spread(config);
  deadlines_.insert({check.deadline, it->first});
}

void Schedule::change(Check& check, const CheckConfig& config, TimePoint now) {
  check.attempt.reset();
  check.attempt_number = 0;
  check.config = config;
  check.prepared = prepare_(config);
  const auto healthy = check.rise_fall.healthy();
  check.rise_fall = RiseFall(config.fall, config.rise);
  if (healthy) check.rise_fall.seed(*healthy);
  check.slot = now + spread(config);
  set_deadline(check, check.slot);
}

void Schedule::set_deadline(Check& check, TimePoint deadline) {
  auto node = deadlines_.extract({check.deadline, check.config.name});
  assert(!node.empty());
  check.deadline = deadline;
  node.value().first = deadline;
  deadlines_.insert(std::move(node));
}

void Schedule::seed(const Fact& fact) {
  const auto found = checks_.find(fact.check);
  if (found == checks_.end() || found->second.rise_fall.healthy()) return;
  found->second.rise_fall.seed(fact.healthy);
  found->second.fact = fact;
  found->second.last.detail = fact.detail;
  found->second.last.latency = fact.latency;
}

void Schedule::step(TimePoint now) {
  take_answers(now);
  end_overdue(now);
  // Each turn moves a deadline past now, so this ends.
  for (int starts = 0; starts < most_starts && !deadlines_.empty() && deadlines_.begin()->first <= now;) {
    auto& check = checks_.find(deadlines_.begin()->second)->second;
    if (check.attempt_number == 0) {
      ++starts;
      start_attempt(check, now);
      take_answers(now);
      continue;
    }
    overdue_.push_back({check.config.name, check.attempt_number});
    set_deadline(check, never);
  }
}

// The loop has had another turn: every answer that arrived in time has been taken.
void Schedule::end_overdue(TimePoint now) {
  for (const auto& [name, attempt_number] : std::exchange(overdue_, {})) {
    const auto found = checks_.find(name);
    if (found == checks_.end() || found->second.attempt_number != attempt_number) continue;
    auto& check = found->second;
    Verdict verdict{.latency = check.bound(), .latency_exceeded = true};
    const bool too_slow = verdict.latency < check.config.timeout;
    verdict.detail = too_slow ? "took more than " + in_words(verdict.latency)
                              : "timed out after " + vipd::to_string(check.config.timeout);
    if (const auto doing = check.attempt ? check.attempt->doing() : std::string{}; !doing.empty())
      verdict.detail += (too_slow ? ": ended " : " ") + doing;
    finish_attempt(check, std::move(verdict), now);
  }
}

TimePoint Schedule::next_deadline() const {
  if (!answers_.empty() || !overdue_.empty()) return TimePoint{};
  return deadlines_.empty() ? never : deadlines_.begin()->first;
}

void Schedule::take_answers(TimePoint now) {
  // By index: an attempt may answer while we are in here, if `changed` makes it.
  for (std::size_t i = 0; i < answers_.size(); ++i) {
    auto answer = std::move(answers_[i]);
    const auto found = checks_.find(answer.check);
    if (found == checks_.end() || found->second.attempt_number != answer.attempt_number) continue;
    auto& verdict = answer.verdict;
    // The answer was there when the loop looked after the bound; when it arrived is unknown.
    if (verdict.healthy && verdict.latency > found->second.bound())
      verdict.detail += ", which this node was late to read";
    finish_attempt(found->second, std::move(verdict), now);
  }
  answers_.clear();
}

void Schedule::start_attempt(Check& check, TimePoint now) {
  const auto number = check.attempt_number = ++attempts_;
  check.started = now;
  set_deadline(check, now + check.bound());
  check.attempt = check.prepared.start([this, name = check.config.name, number](Verdict verdict) {
    answers_.push_back({name, number, std::move(verdict)});
  });
}

void Schedule::finish_attempt(Check& check, Verdict verdict, TimePoint now) {
  check.attempt.reset();
  check.attempt_number = 0;
  check.slot = next_slot(check.slot, check.started, check.config.interval, now);
  set_deadline(check, check.slot);
  record(check, std::move(verdict), now);
}

void Schedule::record(Check& check, Verdict verdict, TimePoint now) {
  ++check.runs;
  // The real latency is longer, so it must not count among those that took at most this long.
  check.latencies.add(verdict.latency + Duration{verdict.latency_exceeded ? 1 : 0});
  if (!verdict.conclusive) {
    check.last = std::move(verdict);
    return;
  }
  if (!verdict.healthy) ++check.failures;
  check.last_result = now;
  check.last = std::move(verdict);

  const bool turned = check.rise_fall.record(check.last.healthy);
  const bool healthy = *check.rise_fall.healthy();
  // A number counts while the check is up; a failure that does not take it down yet keeps the last one.
  auto priority = check.fact.priority;
  if (!healthy)
    priority.reset();
  else if (check.last.healthy)
    priority = check.last.priority;
  if (!turned && priority == check.fact.priority) return;

  if (turned) check.fact.since = now;
  check.fact.healthy = healthy;
  check.fact.priority = priority;
  check.fact.detail = check.last.detail;
  check.fact.latency = check.last.latency;
  changed_(check.fact);
}

std::vector<Fact> Schedule::facts() const {
  std::vector<Fact> facts;
  for (const auto& [name, check] : checks_)
    if (check.rise_fall.healthy()) facts.push_back(check.fact);
  return facts;
}

std::vector<CheckStatus> Schedule::status() const {
  std::vector<CheckStatus> all;
  for (const auto& [name, check] : checks_) {
    auto& status = all.emplace_back();
    status.check = name;
    status.kind = check.config.kind;
    status.interval = check.config.interval;
    status.healthy = check.rise_fall.healthy();
    status.priority = check.fact.priority;
    if (status.healthy) status.since = check.fact.since;
    status.detail = check.last.detail;
    status.last_result = check.last_result;
    status.latency = check.last.latency;
    status.latency_exceeded = check.last.latency_exceeded;
    status.successes_in_a_row = check.rise_fall.successes_in_a_row();
    status.failures_in_a_row = check.rise_fall.failures_in_a_row();
    status.runs = check.runs;
    status.latencies = check.latencies;
    status.failures = check.failures;
    status.running = check.attempt_number != 0;
  }
  return all;
}

}  // namespace vipd::checks
