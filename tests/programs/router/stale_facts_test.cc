#include "programs/router/stale_facts.h"

#include <doctest/doctest.h>

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
const TimePoint start{1000s};

vrrp::CheckFact fact(const std::string& name, bool healthy) {
  return {name, healthy, {}, "200 OK", start};
}

StaleFacts watching() {
  vrrp::VirtualRouterConfig router;
  router.checks = {{"web/nginx", -60, false, 10s}, {"web/disk", -20, false, 60s}};
  StaleFacts stale(start);
  stale.configure({router});
  return stale;
}

const vrrp::CheckFacts facts{{"web/nginx", fact("web/nginx", true)}, {"web/disk", fact("web/disk", true)}};
}  // namespace

TEST_CASE("the result of each check is valid until its own stale_after") {
  auto stale = watching();
  CHECK(stale.next_deadline() == start + 10s);
  CHECK(stale.expire(start + 9999ms, facts).empty());
  const auto first = stale.expire(start + 10s, facts);
  REQUIRE(first.size() == 1);
  CHECK(first[0].check == "web/nginx");
  CHECK_FALSE(first[0].healthy);
  CHECK(first[0].detail == "no result for 10 s: no sign of life from vipd-monitor");
  CHECK(stale.next_deadline() == start + 60s);
  CHECK(stale.expire(start + 11s, facts).empty());
  CHECK(stale.expire(start + 60s, facts).size() == 1);
  CHECK(stale.next_deadline() == never);
}

TEST_CASE("signs of life of the monitor keep results valid") {
  auto stale = watching();
  CHECK(stale.heard(start + 9s).empty());
  CHECK(stale.expire(start + 18s, facts).empty());
}

TEST_CASE("after the next sign of life of the monitor the earlier results are valid again") {
  auto stale = watching();
  CHECK(stale.expire(start + 10s, facts).size() == 1);
  const auto again = stale.heard(start + 20s);
  REQUIRE(again.size() == 1);
  CHECK(again[0] == fact("web/nginx", true));
  CHECK(stale.next_deadline() == start + 30s);
}

TEST_CASE("a check that never had a result cannot become stale") {
  auto stale = watching();
  CHECK(stale.expire(start + 100s, {}).empty());
}
