// Schedule: decides when each check runs, for how long, and what its results mean.
//
//     replace(checks)  the configuration, at start and at each reload
//     step(now)        takes the answers, ends attempts that take too long, starts those that are due
//     next_deadline()  when step is due next; and after each turn of the loop that may bring answers
//
// It gets the time as an argument and has no descriptor: what an attempt needs is inside the Prepared that
// `prepare` makes (checks/runners/runners.h; tests make their own). Each change of a check's verdict goes to
// `changed` as a Fact, a snapshot. A check has one attempt at a time. Its first start is spread by a hash of
// its name, and all later ones keep that rhythm: slots that a long attempt has missed are skipped.
//
// An attempt without an answer is ended, and counts as failed, at its bound: the latency that the check
// allows, or else the timeout. An answer in time counts even if the loop was late to read it. Therefore an
// attempt is ended only after the loop has looked for answers once more after the bound: a step at or after
// the bound asks for another turn of the loop, and the step after that turn ends the attempt.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/archive.h"
#include "base/histogram.h"
#include "checks/attempt.h"
#include "checks/rise_fall.h"
#include "checks/settings/check.h"

namespace vipd::checks {

// The known state of a check.
struct Fact {
  std::string check;
  bool healthy = false;
  std::optional<int> priority;  // printed by a healthy script: added to the priority, -254 to 254
  std::string detail;           // of the result that led to this state
  TimePoint since;              // when healthy took this value
  Duration latency{};           // of that result; a lower limit if it came without an answer
  bool operator==(const Fact&) const = default;
};

template <class A>
constexpr void fields(A& a, Is<Fact> auto& fact) {
  a("check", fact.check)("healthy", fact.healthy)("priority", fact.priority)("detail", fact.detail)(
      "since", fact.since)("latency", fact.latency);
}

// Everything about a check, for status and metrics.
struct CheckStatus {
  std::string check;
  std::string kind;
  Duration interval{};          // from start to start
  std::optional<bool> healthy;  // empty: not yet known
  std::optional<int> priority;
  std::optional<TimePoint> since;        // when healthy took this value
  std::string detail;                    // of the last result
  std::optional<TimePoint> last_result;  // when it came
  Duration latency{};                    // of the last result
  bool latency_exceeded = false;         // the last attempt was ended without an answer
  Histogram latencies;                   // of all, since this program was started
  std::uint32_t successes_in_a_row = 0;
  std::uint32_t failures_in_a_row = 0;
  std::uint64_t runs = 0;      // with a result
  std::uint64_t failures = 0;  // of them
  bool running = false;        // an attempt is under way
};

class Schedule {
 public:
  using Prepare = std::function<Prepared(const CheckConfig& check)>;
  using Changed = std::function<void(const Fact& fact)>;  // may call const functions, but not replace

  Schedule(Prepare prepare, Changed changed);
  Schedule(const Schedule&) = delete;

  // Sets the checks, identified by their names. Unchanged ones are not affected. Changed ones keep their
  // state, but restart their counts and schedule. All others are cancelled and forgotten, without a Fact.
  void replace(const std::vector<CheckConfig>& checks, TimePoint now);

  // A result from an earlier process. Counts as long as the check has none of its own; unknown names are
  // ignored.
  void seed(const Fact& fact);

  void step(TimePoint now);
  TimePoint next_deadline() const;  // in the past if answers, or attempts past their bound, wait for step

  std::vector<Fact> facts() const;          // of the checks whose state is known, by name
  std::vector<CheckStatus> status() const;  // of all, by name

 private:
  struct Check {
    Check(CheckConfig check_config, Prepared check_prepared);
    Duration bound() const;  // on an attempt
    CheckConfig config;
    Prepared prepared;
    RiseFall rise_fall;
    Fact fact;
    TimePoint deadline;  // of the attempt if there is one, else of its start
    TimePoint slot;      // the start that was, or is, due
    TimePoint started;   // of the attempt, if there is one
    std::unique_ptr<Attempt> attempt;
    std::uint64_t attempt_number = 0;  // 0: none is running
    Verdict last;
    std::optional<TimePoint> last_result;
    std::uint64_t runs = 0;
    std::uint64_t failures = 0;
    Histogram latencies;
  };
  using Checks = std::map<std::string, Check, std::less<>>;
  struct Answer {
    std::string check;
    std::uint64_t attempt_number;
    Verdict verdict;
  };
  struct Overdue {
    std::string check;
    std::uint64_t attempt_number;
  };

  void add(const CheckConfig& config, TimePoint now);
  void change(Check& check, const CheckConfig& config, TimePoint now);
  void set_deadline(Check& check, TimePoint deadline);
  void take_answers(TimePoint now);
  void start_attempt(Check& check, TimePoint now);
  void end_overdue(TimePoint now);
  void finish_attempt(Check& check, Verdict verdict, TimePoint now);
  void record(Check& check, Verdict verdict, TimePoint now);

  Prepare prepare_;
  Changed changed_;
  Checks checks_;
  std::set<std::pair<TimePoint, std::string_view>>
      deadlines_;  // one for each check; names are those of checks_
  std::vector<Answer> answers_;
  std::vector<Overdue> overdue_;  // attempts past their bound, until the loop has looked once more
  std::uint64_t attempts_ = 0;
};

}  // namespace vipd::checks
