// Leaving: make-before-break on stop, on a failed check, on removal from the configuration, and by command.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
VirtualRouterConfig quiet(int priority = 200) {
  auto config = c4();
  config.priority = static_cast<Priority>(priority);
  config.announce = {1, 0s};
  config.dead_man = 0s;
  return config;
}

Bench active(VirtualRouterConfig config = quiet()) {
  Bench bench({config});
  bench.check("web/nginx", true);
  bench.wait(5s);
  REQUIRE(bench.state() == StateName::active);
  return bench;
}
}  // namespace

TEST_CASE("Shutdown: the addresses stay until the successor is heard, and then go at once") {
  auto bench = active();
  bench.step(Shutdown{});
  CHECK(bench.status().releasing);
  bench.wait(100ms);
  CHECK(bench.holds("192.0.2.100"));
  bench.hear({.priority = 0, .source = "192.0.2.3"});  // a farewell is no successor
  CHECK(bench.holds("192.0.2.100"));
  CHECK(bench.hear({.priority = 150}) == Lines{"remove 192.0.2.100/24"});
  CHECK(bench.engine.finished());
}

TEST_CASE(
    "Shutdown: without a successor the farewell is said again after one interval and 200 ms, longer than any "
    "Skew_Time, and the addresses go after as much again") {
  auto bench = active();
  bench.step(Shutdown{});
  CHECK(bench.wait(1199ms).empty());
  CHECK(bench.wait(1ms) == Lines{"advert 0"});
  CHECK(bench.wait(1199ms).empty());
  CHECK_FALSE(bench.engine.finished());
  CHECK(bench.wait(1ms) == Lines{"remove 192.0.2.100/24"});
  CHECK(bench.engine.finished());
  CHECK_FALSE(bench.engine.next_deadline());
}

TEST_CASE("Shutdown: the longest interval ends within 45 s") {
  auto config = quiet();
  config.advertisement_interval = longest_advertisement_interval;
  Bench bench({config});
  bench.wait(200s);
  bench.step(Shutdown{});
  bench.wait(45s);
  CHECK(bench.engine.finished());
}

TEST_CASE("Shutdown: an interface that fails meanwhile ends the release") {
  auto bench = active();
  bench.step(Shutdown{});
  auto interface = bench.link;
  interface.running = false;
  CHECK(bench.interface(interface) == Lines{"remove 192.0.2.100/24"});
  CHECK(bench.engine.finished());
}

TEST_CASE("Shutdown: an interface that vanishes meanwhile leaves nothing to remove") {
  auto bench = active();
  bench.step(Shutdown{});
  CHECK(bench.interface(Interface{.name = "eth0"}).empty());
  CHECK(bench.engine.finished());
}

TEST_CASE("Shutdown: addresses are still renewed, and put back, while the release lasts") {
  auto config = quiet();
  config.dead_man = 300ms;
  auto bench = active(config);
  bench.step(Shutdown{});
  bench.remove_by_hand("192.0.2.100/24");
  CHECK(bench.holds("192.0.2.100"));
  const auto lines = bench.wait(150ms);
  CHECK(std::count(lines.begin(), lines.end(), "renew 192.0.2.100/24") >= 1);
}

TEST_CASE("Shutdown: repeated, and in Initialize, it does nothing") {
  auto bench = active();
  bench.step(Shutdown{});
  const auto before = bench.sent.size();
  CHECK(bench.step(Shutdown{}).empty());
  CHECK(bench.sent.size() == before);
  auto interface = eth0();
  interface.running = false;
  Bench initialize({quiet()}, interface);
  CHECK(initialize.step(Shutdown{}).empty());
  CHECK(initialize.engine.finished());
}

TEST_CASE("Shutdown: nothing that happens afterwards starts a virtual router again") {
  auto bench = active();
  bench.step(Shutdown{});
  bench.hear({.priority = 150});
  auto interface = bench.link;
  interface.running = false;
  bench.interface(interface);
  interface.running = true;
  bench.interface(interface);
  bench.check("web/nginx", true);
  bench.configure({quiet(250)});
  CHECK(bench.state() == StateName::initialize);
  CHECK(bench.engine.finished());
}

TEST_CASE(
    "a check that recovers while the release lasts: the addresses stay until somebody is Active, us or "
    "them") {
  auto config = quiet();
  config.checks = {{"web/nginx", 0, true}};
  auto bench = active(config);
  bench.check("web/nginx", false);
  bench.wait(500ms);
  bench.check("web/nginx", true);
  CHECK(bench.state() == StateName::backup);
  bench.wait(2s);
  CHECK(bench.holds("192.0.2.100"));  // no successor has come
  bench.wait(2s);
  CHECK(bench.state() == StateName::active);
  CHECK(bench.holds("192.0.2.100"));
}

// --- vipctl switch ---

TEST_CASE("switch: priority zero, then Backup, serving on until the successor is heard") {
  auto bench = active();
  CHECK(bench.step(SwitchRequested{"edge"}) == Lines{"note switched", "advert 0", "Active -> Backup"});
  CHECK(bench.holds("192.0.2.100"));
  bench.wait(400ms);
  CHECK(bench.hear({.priority = 150}) == Lines{"remove 192.0.2.100/24"});
  CHECK(bench.state() == StateName::backup);
  CHECK(bench.status().yielded);
}

TEST_CASE("switch: a lower priority is followed as long as it is healthy") {
  auto bench = active();
  bench.step(SwitchRequested{"edge"});
  for (int i = 0; i < 20; ++i) {
    bench.hear({.priority = 150});
    bench.wait(1s);
  }
  CHECK(bench.state() == StateName::backup);
}

TEST_CASE(
    "switch: without a successor the addresses never leave, and we are Active again after "
    "Active_Down_Interval") {
  auto bench = active();
  bench.step(SwitchRequested{"edge"});
  const auto lines = bench.wait(active_down_interval(200, 1s));
  CHECK(std::count(lines.begin(), lines.end(), "remove 192.0.2.100/24") == 0);
  CHECK(bench.state() == StateName::active);
  CHECK_FALSE(bench.status().yielded);
}

TEST_CASE("switch: when the successor falls silent, leaves, or becomes unhealthy, we are Active again") {
  for (const int what : {0, 1, 2}) {
    auto bench = active();
    bench.step(SwitchRequested{"edge"});
    bench.wait(400ms);
    bench.hear({.priority = 150});
    bench.wait(1s);
    if (what == 0) bench.wait(active_down_interval(200, 1s) - 1s);
    if (what == 1) bench.hear({.priority = 0, .vrid = 51});
    if (what == 2) bench.hear({.priority = 90});
    if (what != 0) bench.wait(skew_time(200, 1s));
    CHECK(bench.state() == StateName::active);
    CHECK_FALSE(bench.status().yielded);
  }
}

TEST_CASE("switch: a successor that is unhealthy for a moment only keeps the addresses") {
  auto bench = active();
  bench.step(SwitchRequested{"edge"});
  bench.wait(400ms);
  bench.hear({.priority = 150});
  bench.wait(1s);
  bench.hear({.priority = 90});
  bench.wait(100ms);
  bench.hear({.priority = 150});
  CHECK(bench.status().yielded);
  CHECK(bench.timer() == active_down_interval(200, 1s));
}

TEST_CASE("switch: a Backup, or a name that nobody has, is left alone") {
  Bench bench({quiet()});
  CHECK(bench.step(SwitchRequested{"edge"}).empty());
  CHECK(bench.step(SwitchRequested{"nobody"}).empty());
  CHECK(bench.step(SwitchBackRequested{"edge"}).empty());
}

TEST_CASE("switch --back: the lower Active is replaced after Skew_Time, whatever Preempt_Mode says") {
  for (const bool preempt : {true, false}) {
    auto config = quiet();
    config.preempt_mode = preempt;
    auto bench = active(config);
    bench.step(SwitchRequested{"edge"});
    bench.wait(400ms);
    bench.hear({.priority = 150});
    bench.wait(900ms);
    CHECK(bench.step(SwitchBackRequested{"edge"}) == Lines{"note switched"});
    CHECK(bench.timer() == skew_time(200, 1s));
    bench.wait(100ms);
    bench.hear({.priority = 150});  // its next advertisement changes nothing
    bench.wait(skew_time(200, 1s) - 100ms);
    CHECK(bench.state() == StateName::active);
  }
}

TEST_CASE("switch --back: an Active with more priority than ours goes on") {
  auto bench = active();
  bench.step(SwitchRequested{"edge"});
  bench.hear({.priority = 220});
  bench.step(SwitchBackRequested{"edge"});
  CHECK(bench.timer() == active_down_interval(200, 1s));
}

TEST_CASE("switch: an owner that gives way takes its addresses back only when told, or when the peer fails") {
  auto bench = active(quiet(255));
  bench.step(SwitchRequested{"edge"});
  for (int i = 0; i < 10; ++i) {
    bench.hear({.priority = 150});
    bench.wait(1s);
  }
  CHECK(bench.state() == StateName::backup);
  bench.step(SwitchBackRequested{"edge"});
  bench.wait(1s);
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("switch, and then the interface fails: no address stays behind") {
  auto bench = active();
  bench.step(SwitchRequested{"edge"});
  auto interface = bench.link;
  interface.running = false;
  bench.interface(interface);
  CHECK_FALSE(bench.holds("192.0.2.100"));
  CHECK(bench.state() == StateName::initialize);
}
