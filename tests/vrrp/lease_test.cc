// The lease: until when the kernel lets packets for the addresses in, should nothing more be heard of us.
#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
constexpr TimePoint none{};

VirtualRouterConfig quiet() {
  auto config = c4();
  config.announce = {1, 0s};
  config.dead_man = 0s;
  return config;
}

std::optional<TimePoint> lease(const Bench& bench) {
  std::optional<TimePoint> found;
  bench.engine.for_each_lease(bench.now,
                              [&](const RouterKey&, std::optional<TimePoint> until) { found = until; });
  return found;
}

Bench active() {
  Bench bench({quiet()});
  bench.wait(5s);
  REQUIRE(bench.state() == StateName::active);
  return bench;
}
}  // namespace

TEST_CASE("A Backup without addresses has no lease, and needs none") {
  Bench bench({quiet()});
  REQUIRE(bench.state() == StateName::backup);
  CHECK(lease(bench) == none);
}

TEST_CASE(
    "An Active's lease lasts for 2.5 intervals from each advertisement: a peer waits for at least three") {
  auto bench = active();
  for (int i = 0; i < 3; ++i) {
    bench.wait(bench.timer());
    REQUIRE(bench.sent.back().first == bench.now);
    CHECK(lease(bench) == bench.now + 2500ms);
    bench.wait(400ms);
    CHECK(lease(bench) == bench.sent.back().first + 2500ms);
  }
}

TEST_CASE("Whoever takes over because nobody is heard has a whole lease at once") {
  Bench bench({quiet()});
  while (bench.state() != StateName::active) bench.wait(bench.timer());
  CHECK(lease(bench) == bench.now + 2500ms);
}

TEST_CASE(
    "Whoever takes over from an Active has a shorter lease until it advertises again: one that gave way to a "
    "stranger is back after 1.5 intervals of silence") {
  Bench bench({quiet()});
  bench.wait(2s);
  bench.hear({.priority = 50});
  bench.wait(bench.timer());
  REQUIRE(bench.state() == StateName::active);
  const auto since = bench.now;
  CHECK(lease(bench) == since + 1400ms);
  SUBCASE("it answers the one that gives way") {
    bench.wait(10ms);
    bench.hear({.priority = 50});
    REQUIRE(bench.sent.back().first == bench.now);
    CHECK(lease(bench) == since + 2500ms);
  }
  SUBCASE("that one says nothing") {
    bench.wait(900ms);
    CHECK(lease(bench) == since + 1400ms);
    bench.wait(100ms);
    REQUIRE(bench.sent.back().first == bench.now);
    CHECK(lease(bench) == bench.now + 2500ms);
  }
}

TEST_CASE("A shorter interval shortens the lease at once, as it does the peer's patience") {
  auto bench = active();
  auto config = quiet();
  config.advertisement_interval = Centiseconds{10};
  bench.configure({config});
  CHECK(lease(bench) == bench.now + 250ms);
}

TEST_CASE("Shutdown: the lease is renewed for as long as the addresses are served, a second at a time") {
  auto bench = active();
  bench.step(Shutdown{});
  while (bench.status().releasing) {
    CHECK(lease(bench) > bench.now);
    CHECK(lease(bench) <= bench.now + 1s);
    bench.wait(100ms);
    if (bench.now - bench.sent.back().first > 5s) break;
  }
  CHECK(lease(bench) == none);
}

TEST_CASE("Shutdown: the lease ends when the successor is heard") {
  auto bench = active();
  bench.step(Shutdown{});
  REQUIRE(bench.status().releasing);
  bench.hear({.priority = 150});
  CHECK_FALSE(bench.holds("192.0.2.100"));
  CHECK(lease(bench) == none);
}

TEST_CASE("switch: the lease is renewed until this node would take over again itself") {
  auto bench = active();
  bench.step(SwitchRequested{"edge"});
  REQUIRE(bench.state() == StateName::backup);
  REQUIRE(bench.status().releasing);
  while (bench.state() == StateName::backup) {
    CHECK(lease(bench) > bench.now);
    bench.wait(100ms);
  }
  CHECK(lease(bench) > bench.now + 2300ms);
}

TEST_CASE("An address that the kernel does not remove keeps the lease as it is: it shall run out") {
  auto bench = active();
  bench.kernel_obeys = false;
  bench.hear({.priority = 200});
  REQUIRE(bench.state() == StateName::backup);
  REQUIRE(bench.holds("192.0.2.100"));
  CHECK_FALSE(lease(bench).has_value());
  bench.remove_by_hand("192.0.2.100/24");
  CHECK(lease(bench) == none);
}

TEST_CASE("What a predecessor left behind keeps its lease, which has run out, until it is removed") {
  auto left = eth0();
  left.addresses.push_back({.prefix = prefix("192.0.2.100/24"), .ours = true});
  Bench bench(left);
  bench.kernel_obeys = false;
  bench.configure({quiet()});
  REQUIRE(bench.state() == StateName::backup);
  CHECK_FALSE(lease(bench).has_value());
  bench.remove_by_hand("192.0.2.100/24");
  CHECK(lease(bench) == none);
}

TEST_CASE("A node that stood still has nothing to renew") {
  auto bench = active();
  const auto before = lease(bench);
  bench.kernel_obeys = false;
  bench.wake_after(10s);
  REQUIRE(bench.state() == StateName::backup);
  CHECK_FALSE(lease(bench).has_value());
  CHECK(before < bench.now);
}

TEST_CASE("An interface that is deleted takes the addresses along, and the lease") {
  auto bench = active();
  bench.interface(Interface{.name = "eth0"});
  CHECK(lease(bench) == none);
}
