#include "checks/schedule.h"

#include <doctest/doctest.h>

#include <algorithm>

using namespace vipd;
using namespace vipd::checks;
using namespace std::chrono_literals;

namespace {

const TimePoint start_time{1000s};

// A kind of check that answers when the test says so.
struct World {
  struct Running {
    Done done;
    TimePoint since;
  };
  class FakeAttempt : public Attempt {
   public:
    FakeAttempt(World& world, std::string name) : world_(world), name_(std::move(name)) {}
    ~FakeAttempt() override {
      ++world_.ended[name_];
      world_.running.erase(name_);
    }
    std::string doing() const override { return world_.doing; }

   private:
    World& world_;
    std::string name_;
  };

  TimePoint now = start_time;
  std::map<std::string, Running> running;
  std::map<std::string, int> ended;
  std::map<std::string, std::vector<TimePoint>> starts;
  std::vector<Fact> facts;
  std::string doing;
  std::optional<Verdict> at_once;   // what every attempt answers inside its start
  std::optional<Duration> latency;  // what the checks allow
  Duration late{};                  // how late the loop wakes up
  Schedule monitor{[this](const CheckConfig& check) -> Prepared {
                     return {[this, name = check.name](const Done& done) -> std::unique_ptr<Attempt> {
                               REQUIRE_FALSE(running.contains(name));  // never two of one check
                               starts[name].push_back(now);
                               running[name] = {done, now};
                               if (at_once) done(*at_once);
                               return std::make_unique<FakeAttempt>(*this, name);
                             },
                             latency};
                   },
                   [this](const Fact& fact) { facts.push_back(fact); }};

  // Lets time pass, stopping at each deadline as the loop does.
  void run_to(TimePoint end) {
    while (monitor.next_deadline() <= end) {
      if (monitor.next_deadline() > now) now = monitor.next_deadline() + late;
      monitor.step(now);
    }
    now = std::max(now, end);
  }
  void run(Duration time) { run_to(now + time); }
  void run_until_started(const std::string& name) {
    while (!running.contains(name)) run_to(std::max(now, monitor.next_deadline()));
  }
  void answer(const std::string& name, Verdict verdict) {
    running.at(name).done(std::move(verdict));
    monitor.step(now);
  }
  // The next `count` attempts of the check all answer like this, at once.
  void answer_next(const std::string& name, int count, const Verdict& verdict) {
    for (int i = 0; i < count; ++i) run_until_started(name), answer(name, verdict);
  }
  CheckStatus status(const std::string& name) const {
    for (const auto& each : monitor.status())
      if (each.check == name) return each;
    FAIL("no such check");
    return {};
  }
};

CheckConfig check(const std::string& name) {
  CheckConfig config;
  config.name = name;
  config.kind = "fake";
  return config;
}

const Verdict good{.healthy = true, .detail = "fine", .latency = 3ms};
const Verdict bad{.healthy = false, .detail = "refused", .latency = 1ms};

Verdict printed(int priority) {
  return {.healthy = true, .detail = "printed " + std::to_string(priority), .priority = priority};
}

}  // namespace

TEST_CASE("nothing is known before the first result, and that one decides") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.run_until_started("a");
  CHECK(world.status("a").healthy == std::nullopt);
  CHECK(world.status("a").running);
  CHECK(world.monitor.facts().empty());
  world.answer("a", bad);
  REQUIRE(world.facts.size() == 1);
  CHECK(world.facts[0] == Fact{"a", false, std::nullopt, "refused", world.now, 1ms});
  CHECK(world.monitor.facts() == world.facts);
}

TEST_CASE("starts are spread over the first interval, at most a second, and the same in each run") {
  World world;
  std::vector<CheckConfig> checks;
  for (int i = 0; i < 1000; ++i) checks.push_back(check("check" + std::to_string(i)));
  world.at_once = good;
  world.monitor.replace(checks, world.now);
  world.run(999'999us);
  std::array<int, 10> tenths{};
  for (const auto& [name, starts] : world.starts)
    if (!starts.empty()) ++tenths.at(static_cast<std::size_t>((starts[0] - start_time) / 100ms));
  CHECK(world.starts.size() == 1000);
  for (const int count : tenths) CHECK(count > 50);

  World again;
  again.at_once = good;
  again.monitor.replace(checks, again.now);
  again.run(1s);
  CHECK(again.starts.at("check7")[0] == world.starts.at("check7")[0]);

  World slow;
  slow.at_once = good;
  for (auto& each : checks) each.interval = 1h;
  slow.monitor.replace(checks, slow.now);
  slow.run(1s);
  CHECK(slow.starts.size() == 1000);
}

TEST_CASE("attempts start an interval after each other, however long each takes") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.run_until_started("a");
  const auto first = world.now;
  world.run(700ms);
  world.answer("a", good);
  world.run_until_started("a");
  CHECK(world.now == first + 1s);
}

TEST_CASE("an attempt that is longer than the interval leaves slots out, and there are never two") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.run_until_started("a");
  const auto first = world.now;
  world.run(1300ms);
  CHECK(world.starts["a"].size() == 1);
  world.answer("a", good);
  world.run_until_started("a");
  CHECK(world.now == first + 2s);
}

TEST_CASE("after a stall a check runs once, not once for each slot that was missed") {
  World world;
  world.at_once = good;
  world.monitor.replace({check("a")}, world.now);
  world.run(5s);
  const auto before = world.starts["a"].size();
  world.now += 1h;
  world.monitor.step(world.now);
  CHECK(world.starts["a"].size() == before + 1);
  CHECK(world.monitor.next_deadline() > world.now);
  CHECK(world.monitor.next_deadline() <= world.now + 1s);
}

TEST_CASE("an attempt without an answer is cancelled at its timeout and has failed") {
  World world;
  world.doing = "while connecting";
  world.monitor.replace({check("a")}, world.now);
  world.run_until_started("a");
  const auto first = world.now;
  world.run_to(first + 2s - 1ns);
  CHECK(world.ended["a"] == 0);
  world.run_to(first + 2s);
  CHECK(world.ended["a"] == 1);
  REQUIRE(world.facts.size() == 1);
  CHECK(world.facts[0].detail == "timed out after 2s while connecting");
  CHECK(world.facts[0].latency == 2s);
}

TEST_CASE("an answer that came before the timeout counts, even if the loop was late") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.run_until_started("a");
  world.running.at("a").done(good);
  CHECK(world.monitor.next_deadline() < world.now);
  world.now += 10s;
  world.monitor.step(world.now);
  REQUIRE_FALSE(world.facts.empty());
  CHECK(world.facts[0].healthy);
}

TEST_CASE("an attempt that is slower than allowed has failed at the bound, not at its answer") {
  World world;
  world.latency = 100ms;
  world.doing = "while waiting for an answer";
  world.monitor.replace({check("a")}, world.now);
  world.run_until_started("a");
  const auto first = world.now;
  world.run_to(first + 100ms - 1ns);
  CHECK(world.ended["a"] == 0);
  world.run_to(first + 100ms);
  CHECK(world.ended["a"] == 1);
  REQUIRE(world.facts.size() == 1);
  CHECK_FALSE(world.facts[0].healthy);
  CHECK(world.facts[0].since == first + 100ms);
  CHECK(world.facts[0].detail == "took more than 100 ms: ended while waiting for an answer");
  const auto status = world.status("a");
  CHECK(status.latency == 100ms);
  CHECK(status.latency_exceeded);
  CHECK(status.failures_in_a_row == 1);
}

TEST_CASE("what the kind cannot say of an attempt that was too slow is left out") {
  World world;
  world.latency = 1500us;
  world.monitor.replace({check("a")}, world.now);
  world.run_until_started("a");
  world.run(1500us);
  CHECK(world.status("a").detail == "took more than 1.5 ms");
}

TEST_CASE("an attempt within the bound is as good as one without a bound") {
  World world;
  world.latency = 100ms;
  world.monitor.replace({check("a")}, world.now);
  world.answer_next("a", 1, {.healthy = true, .detail = "fine", .latency = 100ms});
  CHECK(world.status("a").healthy == true);
  CHECK(world.status("a").detail == "fine");
  CHECK_FALSE(world.status("a").latency_exceeded);
}

TEST_CASE("a lower limit of the latency is not counted among those that took at most as long") {
  World world;
  world.latency = 100ms;
  world.monitor.replace({check("a")}, world.now);
  world.answer_next("a", 1, {.healthy = true, .detail = "fine", .latency = 100ms});
  const auto up_to = [&world](Duration bound) {
    const auto& counts = world.status("a").latencies.counts;
    const auto end = std::find(Histogram::bounds.begin(), Histogram::bounds.end(), bound);
    REQUIRE(end != Histogram::bounds.end());
    std::uint64_t sum = 0;
    for (auto i = 0; i <= end - Histogram::bounds.begin(); ++i) sum += counts.at(static_cast<std::size_t>(i));
    return sum;
  };
  CHECK(up_to(100ms) == 1);
  world.run_until_started("a");
  world.run(100ms);
  CHECK(world.status("a").runs == 2);
  CHECK(up_to(100ms) == 1);
  CHECK(up_to(250ms) == 2);
}

TEST_CASE("a check whose latency is below its interval keeps its rhythm when it is too slow") {
  World world;
  world.latency = 300ms;
  world.monitor.replace({check("a")}, world.now);
  world.run_until_started("a");
  const auto first = world.now;
  world.run_to(first + 2s);
  CHECK(world.starts["a"] == std::vector<TimePoint>{first, first + 1s, first + 2s});
}

// 1 ms late each time: the start of the next attempt would otherwise be missed by that, and wait for a
// further interval.
TEST_CASE("bounds as long as the interval, or twice as long, cost no further interval") {
  for (const int intervals : {1, 2}) {
    World world;
    world.latency = intervals * 100ms;
    world.late = 1ms;
    auto config = check("a");
    config.interval = 100ms;
    config.fall = 2;
    world.monitor.replace({config}, world.now);
    world.answer_next("a", 1, good);
    world.run_until_started("a");
    const auto first = world.now;
    world.run(500ms);
    REQUIRE(world.facts.size() == 2);
    CHECK_FALSE(world.facts[1].healthy);
    CHECK(world.facts[1].since - first <= intervals * 200ms + 5ms);
  }
}

TEST_CASE("attempts that are too slow keep the rhythm of the check however late the loop is") {
  World world;
  world.latency = 100ms;
  world.late = 1ms;
  auto config = check("a");
  config.interval = 100ms;
  world.monitor.replace({config}, world.now);
  world.run_until_started("a");
  const auto first = world.now - world.late;
  world.run(60s);
  const auto& starts = world.starts["a"];
  CHECK(starts.size() >= 550);
  CHECK(starts.size() <= 601);
  for (const auto start : starts) CHECK((start - first) % 100ms <= 25ms);
}

TEST_CASE("an answer that had arrived by the bound counts, though the loop woke up late") {
  World world;
  world.latency = 100ms;
  world.monitor.replace({check("a")}, world.now);
  world.run_until_started("a");
  // It is there before the step, or is read in the turn of the loop that this step asks for.
  for (const bool before_step : {true, false}) {
    world.run_until_started("a");
    world.now += 300ms;
    if (!before_step) {
      world.monitor.step(world.now);
      CHECK(world.monitor.next_deadline() < world.now);
    }
    world.answer("a", {.healthy = true, .detail = "fine in 99 ms", .latency = 99ms});
    CHECK(world.status("a").healthy == true);
    CHECK(world.status("a").failures == 0);
    CHECK(world.status("a").detail == "fine in 99 ms");
  }
}

TEST_CASE("an answer that was read after the bound says so, because its arrival time is unknown") {
  World world;
  world.latency = 100ms;
  world.monitor.replace({check("a")}, world.now);
  world.run_until_started("a");
  world.now += 300ms;
  world.answer("a", {.healthy = true, .detail = "fine in 300 ms", .latency = 300ms});
  CHECK(world.status("a").healthy == true);
  CHECK(world.status("a").detail == "fine in 300 ms, which this node was late to read");
}

TEST_CASE("an attempt that is past its bound when the check changes or goes is judged no more") {
  World world;
  world.monitor.replace({check("a"), check("b")}, world.now);
  world.run_until_started("a");
  world.run_until_started("b");
  world.now += 5s;
  world.monitor.step(world.now);
  auto changed = check("a");
  changed.fall = 1;
  world.monitor.replace({changed}, world.now);
  world.monitor.step(world.now);
  CHECK(world.facts.empty());
  CHECK(world.monitor.status().size() == 1);
  CHECK(world.status("a").runs == 0);
}

TEST_CASE("many attempts that are due together do not lose time to each other's starts") {
  World world;
  world.latency = 100ms;
  std::vector<CheckConfig> checks;
  for (int i = 0; i < 100; ++i) checks.push_back(check("check" + std::to_string(i)));
  world.monitor.replace(checks, world.now);
  world.now += 10s;  // all are due
  while (world.running.size() < checks.size()) {
    const auto before = world.running.size();
    world.monitor.step(world.now);
    CHECK(world.running.size() - before <= 16);
    world.now += 1600us;  // what starting them takes
  }
  CHECK(world.facts.empty());
  std::set<TimePoint> starts;
  for (const auto& [name, attempt] : world.running) starts.insert(attempt.since);
  REQUIRE(starts.size() == 7);
  world.run_to(*starts.begin() + 100ms);
  CHECK(world.facts.size() == 16);
}

TEST_CASE("fall and rise results in a row turn a check, and each turn is told once") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.answer_next("a", 1, good);
  world.answer_next("a", 2, bad);
  CHECK(world.facts.size() == 1);
  world.answer_next("a", 1, bad);
  REQUIRE(world.facts.size() == 2);
  CHECK_FALSE(world.facts[1].healthy);
  CHECK(world.facts[1].since == world.now);
  world.answer_next("a", 5, bad);
  world.answer_next("a", 1, good);
  CHECK(world.facts.size() == 2);
  world.answer_next("a", 1, good);
  REQUIRE(world.facts.size() == 3);
  CHECK(world.facts[2].healthy);
}

TEST_CASE("a service that dies is down after fall intervals at most") {
  World world;
  world.at_once = good;
  world.monitor.replace({check("a")}, world.now);
  world.run(10s);
  const auto died = world.now;
  world.at_once = bad;
  world.run(3s);
  REQUIRE(world.facts.size() == 2);
  CHECK(world.facts[1].since - died <= 3s);
}

TEST_CASE("a printed priority is told when it changes, and forgotten while the check is down") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.answer_next("a", 1, printed(-20));
  CHECK(world.facts.back().priority == -20);
  world.answer_next("a", 3, printed(-20));
  CHECK(world.facts.size() == 1);
  world.answer_next("a", 1, printed(10));
  REQUIRE(world.facts.size() == 2);
  CHECK(world.facts.back().priority == 10);
  CHECK(world.facts.back().since == world.facts.front().since);
  world.answer_next("a", 1, bad);  // not down yet: what it said last still holds
  CHECK(world.facts.size() == 2);
  world.answer_next("a", 2, bad);
  REQUIRE(world.facts.size() == 3);
  CHECK(world.facts.back().priority == std::nullopt);
  CHECK_FALSE(world.facts.back().healthy);
}

TEST_CASE("a seeded state survives a restart of the monitor: one failure does not turn it") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  const Fact earlier{"a", true, std::nullopt, "200 OK in 3 ms", start_time - 1h, 3ms};
  world.monitor.seed(earlier);
  world.monitor.seed({"gone", false, std::nullopt, "", start_time, 0s});
  CHECK(world.monitor.facts() == std::vector<Fact>{earlier});
  world.answer_next("a", 2, bad);
  CHECK(world.facts.empty());
  CHECK(world.status("a").since == start_time - 1h);
  world.answer_next("a", 1, bad);
  REQUIRE(world.facts.size() == 1);
  CHECK_FALSE(world.facts[0].healthy);
}

TEST_CASE("a reload without a change disturbs nothing") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.answer_next("a", 3, good);
  world.run_until_started("a");
  const auto deadline = world.monitor.next_deadline();
  world.monitor.replace({check("a"), check("b")}, world.now);
  CHECK(world.running.contains("a"));
  CHECK(world.status("a").runs == 3);
  CHECK(world.status("b").runs == 0);
  world.monitor.replace({check("a")}, world.now);
  CHECK(world.monitor.next_deadline() == deadline);
}

TEST_CASE("a changed check keeps its state and starts anew") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.answer_next("a", 1, good);
  world.run_until_started("a");
  const auto stale = world.running.at("a").done;
  auto changed = check("a");
  changed.fall = 1;
  world.monitor.replace({changed}, world.now);
  CHECK_FALSE(world.running.contains("a"));
  CHECK(world.status("a").healthy == true);
  world.run_until_started("a");
  stale(bad);  // of the attempt that was cancelled
  world.monitor.step(world.now);
  CHECK(world.running.contains("a"));
  CHECK(world.facts.size() == 1);
  world.answer("a", bad);
  CHECK(world.facts.size() == 2);  // fall is 1 now
}

TEST_CASE("a removed check is cancelled and forgotten, without a word") {
  World world;
  world.monitor.replace({check("a"), check("b")}, world.now);
  world.run_until_started("a");
  world.monitor.replace({check("b")}, world.now);
  CHECK(world.ended["a"] == 1);
  CHECK(world.monitor.status().size() == 1);
  CHECK(world.facts.empty());
  world.monitor.replace({}, world.now);
  CHECK(world.monitor.next_deadline() == never);
}

TEST_CASE("what the counters say") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.answer_next("a", 3, good);
  world.answer_next("a", 2, bad);
  const auto status = world.status("a");
  CHECK(status.kind == "fake");
  CHECK(status.healthy == true);
  CHECK(status.runs == 5);
  CHECK(status.failures == 2);
  CHECK(status.failures_in_a_row == 2);
  CHECK(status.successes_in_a_row == 0);
  CHECK(status.detail == "refused");
  CHECK(status.latency == 1ms);
  CHECK(status.last_result == world.now);
  CHECK_FALSE(status.running);
}

TEST_CASE("an attempt that answers inside its start is an answer like others") {
  World world;
  world.at_once = bad;
  world.monitor.replace({check("a")}, world.now);
  world.run(3500ms);
  CHECK(world.facts.size() == 1);
  CHECK(world.status("a").runs >= 3);
  CHECK(world.running.empty());
}

TEST_CASE("ten thousand checks are a matter of milliseconds") {
  World world;
  world.at_once = good;
  std::vector<CheckConfig> checks;
  for (int i = 0; i < 10'000; ++i) checks.push_back(check("check" + std::to_string(i)));
  world.monitor.replace(checks, world.now);
  world.run(3s);
  CHECK(world.facts.size() == 10'000);
  std::uint64_t runs = 0;
  for (const auto& status : world.monitor.status()) runs += status.runs;
  CHECK(runs >= 20'000);
}

TEST_CASE("a fact survives the way to another process") {
  const Fact fact{"web/nginx", true, -20, "printed -20", start_time, 3ms};
  CHECK(from_bytes<Fact>(to_bytes(fact)).value() == fact);
}

TEST_CASE("an attempt that this node could not make says nothing of the service") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.answer_next("a", 1, {.healthy = true, .detail = "fine"});
  REQUIRE(world.facts.size() == 1);
  const auto last = world.status("a").last_result;
  world.answer_next("a", 10, {.healthy = false, .conclusive = false, .detail = "no descriptors"});
  CHECK(world.facts.size() == 1);
  CHECK(world.status("a").healthy == true);
  CHECK(world.status("a").detail == "no descriptors");
  CHECK(world.status("a").failures == 0);
  CHECK(world.status("a").last_result == last);  // so that its age can be seen
  world.answer_next("a", 3, {.healthy = false, .detail = "refused"});
  CHECK(world.status("a").healthy == false);
}

TEST_CASE("an attempt that this node could not make decides nothing at the start") {
  World world;
  world.monitor.replace({check("a")}, world.now);
  world.answer_next("a", 5, {.healthy = false, .conclusive = false, .detail = "no descriptors"});
  CHECK(world.facts.empty());
  CHECK_FALSE(world.status("a").healthy);
}
