// Two families of one entry move together.
#include "vrrp/sync_group.h"

#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
std::vector<VirtualRouterConfig> both() {
  return {c4(), c6()};
}
void hear_both(Bench& bench, int priority) {
  bench.hear({.priority = priority});
  bench.hear({.priority = priority, .source = "fe80::2"});
}
}  // namespace

TEST_CASE("an obstacle of one family is an obstacle of both") {
  Bench bench(both());
  auto interface = bench.link;
  interface.addresses.pop_back();  // the link-local address
  CHECK(bench.interface(interface) == Lines{"Backup -> Initialize", "Backup -> Initialize"});
  CHECK(bench.status(Family::ipv4).obstacles == bench.status(Family::ipv6).obstacles);
  bench.interface(eth0());
  CHECK(bench.state(Family::ipv4) == StateName::backup);
  CHECK(bench.state(Family::ipv6) == StateName::backup);
}

TEST_CASE("when both timers end, both take over in the same step") {
  Bench bench(both());
  hear_both(bench, 200);
  const auto lines = bench.wait(3'609'375us);
  CHECK(bench.state(Family::ipv4) == StateName::active);
  CHECK(bench.state(Family::ipv6) == StateName::active);
}

TEST_CASE("a silence of one family alone moves nothing, as long as the other's Active is heard") {
  Bench bench(both());
  hear_both(bench, 200);
  for (int i = 0; i < 6; ++i) {
    bench.wait(1s);
    bench.hear({.priority = 200});  // IPv4 only
  }
  CHECK(bench.state(Family::ipv4) == StateName::backup);
  CHECK(bench.state(Family::ipv6) == StateName::backup);
}

TEST_CASE(
    "after one more Active_Down_Interval of silence the family that has nobody is served alone: never none") {
  Bench bench(both());
  hear_both(bench, 200);
  const auto start = bench.now;
  while (bench.state(Family::ipv6) != StateName::active && bench.now < start + 20s) {
    bench.wait(500ms);
    bench.hear({.priority = 200});
  }
  CHECK(bench.state(Family::ipv4) == StateName::backup);
  for (const auto& [when, action] : bench.log)
    if (const auto* change = std::get_if<StateChanged>(&action); change && change->to == StateName::active)
      CHECK(when - start == 2 * 3'609'375us);
}

TEST_CASE("the family that waits is followed again when its Active is heard") {
  Bench bench(both());
  hear_both(bench, 200);
  for (int i = 0; i < 5; ++i) {
    bench.wait(1s);
    bench.hear({.priority = 200});
  }
  bench.hear({.priority = 200, .source = "fe80::2"});
  CHECK(bench.timer(Family::ipv6) == 3'609'375us);
  bench.hear({.priority = 200});
  bench.wait(3'609'375us);  // now both are silent: no waiting left over from before
  CHECK(bench.state(Family::ipv4) == StateName::active);
  CHECK(bench.state(Family::ipv6) == StateName::active);
}

TEST_CASE("a family that has waited once, and was followed again, waits again at its next silence") {
  Bench bench(both());
  hear_both(bench, 200);
  const auto hear_ipv4_for = [&](Duration duration) {
    for (const auto until = bench.now + duration; bench.now < until;) {
      bench.wait(500ms);
      bench.hear({.priority = 200});
    }
  };
  hear_ipv4_for(5s);
  hear_both(bench, 200);
  hear_ipv4_for(5s);
  CHECK(bench.state(Family::ipv6) == StateName::backup);
  hear_ipv4_for(3s);
  CHECK(bench.state(Family::ipv6) == StateName::active);
}

TEST_CASE("silences that begin apart end with both moving at the later one's deadline") {
  Bench bench(both());
  bench.hear({.priority = 200});
  bench.wait(400ms);
  bench.hear({.priority = 200, .source = "fe80::2"});
  bench.wait(3'609'375us - 1ns);
  CHECK(bench.state(Family::ipv4) == StateName::backup);
  bench.wait(1ns);
  CHECK(bench.state(Family::ipv4) == StateName::active);
  CHECK(bench.state(Family::ipv6) == StateName::active);
}

TEST_CASE("priority zero in both families, a moment apart, costs no waiting") {
  Bench bench(both());
  hear_both(bench, 200);
  bench.hear({.priority = 0, .vrid = 51});
  bench.wait(50us);
  bench.hear({.priority = 0, .source = "fe80::2"});
  bench.wait(609'375us);
  CHECK(bench.state(Family::ipv4) == StateName::active);
  CHECK(bench.state(Family::ipv6) == StateName::active);
}

TEST_CASE("a check lowers and raises both families at once") {
  auto configs = both();
  for (auto& config : configs) config.checks = {{"web/nginx", -60, false}};
  Bench bench(configs);
  bench.check("web/nginx", true);
  bench.wait(4s);
  const auto lines = bench.check("web/nginx", false);
  CHECK(lines == Lines{"note priority_changed", "advert 40", "note priority_changed", "advert 40"});
}

TEST_CASE("switch and stop move both families") {
  Bench bench(both());
  bench.wait(4s);
  bench.step(SwitchRequested{"edge"});
  CHECK(bench.state(Family::ipv4) == StateName::backup);
  CHECK(bench.state(Family::ipv6) == StateName::backup);
  bench.step(Shutdown{});
  bench.hear({.priority = 90});
  CHECK_FALSE(bench.engine.finished());
  bench.hear({.priority = 90, .source = "fe80::2"});
  CHECK(bench.engine.finished());
}

TEST_CASE("shared obstacles are named once each") {
  CHECK(sync_group::shared_obstacles({{"a", "b"}, {"b", "c"}, {}}) == Lines{"a", "b", "c"});
}
