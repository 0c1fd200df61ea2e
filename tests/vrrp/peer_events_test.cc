// New and lost peers are reported once: not with every message, and at a limited rate.
#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"
#include "vrrp/event_names.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;
using namespace std::chrono_literals;

namespace {
Lines told(const Bench& bench) {
  Lines lines;
  for (const auto& [when, action] : bench.log)
    if (const auto* const noted = std::get_if<Noted>(&action))
      if (noted->event == events::peer_heard || noted->event == events::peer_lost)
        lines.push_back(noted->event + ": " + noted->text);
  return lines;
}
}  // namespace

TEST_CASE("A peer is reported when it is first heard, when it is lost, and when it is heard again") {
  Bench bench({c4()});
  for (int i = 0; i < 5; ++i) {
    bench.hear({.priority = 150});
    bench.wait(1s);
  }
  const std::string heard = "peer_heard: hears 192.0.2.2 with priority 150";
  CHECK(told(bench) == Lines{heard});
  bench.wait(1min);
  REQUIRE(bench.state() == StateName::active);
  REQUIRE(told(bench).size() == 2);
  CHECK(told(bench).back().starts_with("peer_lost: nothing heard from 192.0.2.2 for "));
  bench.hear({.priority = 150});
  bench.wait(1s);
  bench.hear({.priority = 150});
  REQUIRE(told(bench).size() == 3);
  CHECK(told(bench).back() == heard);
}

TEST_CASE("A farewell is not a loss, and a router that only sends farewells is not reported as heard") {
  Bench bench({c4()});
  bench.hear({.priority = 150});
  bench.hear({.priority = 0});
  bench.wait(1min);
  CHECK(bench.state() == StateName::active);
  CHECK(told(bench).size() == 1);
  bench.hear({.priority = 0, .source = "192.0.2.3"});
  CHECK(told(bench).size() == 1);
}

TEST_CASE("Several peers at the same time are not reported message by message") {
  Bench bench({c4()});
  for (int i = 0; i < 1000; ++i) {
    bench.hear({.priority = 150, .source = i % 2 == 0 ? "192.0.2.2" : "192.0.2.3"});
    bench.wait(10ms);
  }
  CHECK(told(bench).size() <= 2);
}
