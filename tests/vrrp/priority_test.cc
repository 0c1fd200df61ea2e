// Effective priority: base, facts of checks, and the sentences that say how it came about.
#include "vrrp/priority.h"

#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
VirtualRouterConfig with_checks(Priority priority, std::vector<TrackedCheck> checks) {
  auto config = c4();
  config.priority = priority;
  config.checks = std::move(checks);
  return config;
}

CheckFacts facts(std::vector<CheckFact> list) {
  CheckFacts result;
  for (auto& each : list) result[each.check] = each;
  return result;
}

const TrackedCheck nginx{"web/nginx", -60, false};
const TrackedCheck disk{"web/disk", -20, false};
const TrackedCheck vital{"web/vital", 0, true};
}  // namespace

TEST_CASE("the base counts when every check is up") {
  const auto result =
      effective_priority(with_checks(250, {nginx}), facts({{"web/nginx", true, {}, "200 OK", {}}}));
  CHECK(result.value == 250);
  CHECK(result.initialize.empty());
  CHECK(result.explanation ==
        Lines{"base priority 250", "check web/nginx is up: 200 OK", "effective priority 250"});
}

TEST_CASE("each check that is down takes its share, and the sentences name it with its cause") {
  const auto result = effective_priority(with_checks(250, {nginx, disk}),
                                         facts({{"web/nginx", false, {}, "status 502, expected 200", {}},
                                                {"web/disk", false, {}, "exit code 1", {}}}));
  CHECK(result.value == 170);
  CHECK(result.explanation == Lines{"base priority 250",
                                    "-60: check web/nginx is down: status 502, expected 200",
                                    "-20: check web/disk is down: exit code 1", "effective priority 170"});
}

TEST_CASE(
    "a check without a result counts as down: nobody takes addresses before it knows that its service "
    "works") {
  const auto result = effective_priority(with_checks(250, {nginx, vital}), {});
  CHECK(result.value == 190);
  CHECK(result.initialize == Lines{"check web/vital has no result yet"});
  CHECK(result.explanation[1] == "-60: check web/nginx has no result yet");
}

TEST_CASE("on_failure initialize is an obstacle and no number") {
  const auto result =
      effective_priority(with_checks(250, {vital}), facts({{"web/vital", false, {}, "refused", {}}}));
  CHECK(result.value == 250);
  CHECK(result.initialize == Lines{"check web/vital is down: refused"});
}

TEST_CASE("a script's printed weight takes the place of up and down") {
  CHECK(effective_priority(with_checks(100, {nginx}),
                           facts({{"web/nginx", true, 30, "30 connections free", {}}}))
            .value == 130);
  CHECK(effective_priority(with_checks(100, {nginx}), facts({{"web/nginx", true, -30, "slow", {}}})).value ==
        70);
}

TEST_CASE("the result stays within 1 and 254, whatever the sum: 0 and 255 mean other things on the wire") {
  const auto low = effective_priority(with_checks(50, {nginx}), facts({{"web/nginx", false, {}, "x", {}}}));
  CHECK(low.value == 1);
  CHECK(low.explanation[2] == "the sum -10 is limited to 1 to 254");
  CHECK(effective_priority(with_checks(250, {nginx}), facts({{"web/nginx", true, 100, "x", {}}})).value ==
        254);
  CHECK(effective_priority(with_checks(254, {nginx}), facts({{"web/nginx", true, -254, "x", {}}})).value ==
        1);
}

TEST_CASE("an address owner keeps 255, but gives up for a check that says initialize") {
  const auto config = with_checks(255, {nginx, vital});
  const auto result = effective_priority(
      config, facts({{"web/nginx", false, {}, "x", {}}, {"web/vital", false, {}, "x", {}}}));
  CHECK(result.value == 255);
  CHECK(result.initialize.size() == 1);
  CHECK(effective_priority(config,
                           facts({{"web/nginx", true, -100, "x", {}}, {"web/vital", true, {}, "x", {}}}))
            .value == 255);
}

TEST_CASE("the same facts give the same answer: nothing is counted up and down") {
  Bench bench({with_checks(200, {nginx, disk})});
  for (int round = 0; round < 50; ++round) {
    bench.check("web/nginx", round % 2 == 0);
    bench.check("web/nginx", round % 2 == 0);
    bench.check("web/disk", round % 3 == 0);
  }
  bench.check("web/nginx", true);
  bench.check("web/disk", true);
  CHECK(bench.status().priority == 200);
  bench.check("web/disk", false);
  CHECK(bench.status().priority == 180);
}
