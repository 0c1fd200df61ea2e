// When the shield of a socket is set and removed. One virtual router: 1200 datagrams a second are acceptable,
// and 420 at once.
#include "programs/router/flood_guard.h"

#include <doctest/doctest.h>

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
constexpr TimePoint start{1000s};

// A guard whose flood has begun at `now`.
FloodGuard flooded(TimePoint now) {
  FloodGuard guard;
  REQUIRE(guard.arrived(now, 1000, 1));
  guard.shield_is_set(now);
  return guard;
}

// The time from `now` until the shield is removed.
Duration shield_time(FloodGuard& guard, TimePoint now) {
  const auto begin = now;
  while (guard.shielded()) {
    now = guard.deadline();
    REQUIRE(guard.due(now));
    guard.shield_is_set(now);
  }
  return now - begin;
}
}  // namespace

TEST_CASE("as many advertisements as a hundred a second of each virtual router are no flood") {
  FloodGuard guard;
  for (auto now = start; now < start + 60s; now += 10ms) CHECK_FALSE(guard.arrived(now, 50 * 2, 50));
  CHECK_FALSE(guard.shielded());
  CHECK(guard.deadline() == never);
}

TEST_CASE("a burst is acceptable, and the next one after it has been earned again") {
  FloodGuard guard;
  CHECK_FALSE(guard.arrived(start, 420, 1));
  CHECK_FALSE(guard.arrived(start + 350ms, 420, 1));
  CHECK(guard.arrived(start + 450ms, 421, 1));
}

TEST_CASE("a pause earns one burst, however long it lasts") {
  FloodGuard guard;
  CHECK_FALSE(guard.arrived(start, 0, 1));
  CHECK(guard.arrived(start + 1h, 421, 1));
}

TEST_CASE("a socket that serves many virtual routers may receive more") {
  FloodGuard few;
  FloodGuard many;
  CHECK(few.arrived(start, 1000, 1));
  CHECK_FALSE(many.arrived(start, 1000, 100));
}

TEST_CASE("a flood sets the shield once, for two seconds") {
  auto guard = flooded(start);
  CHECK(guard.shielded());
  CHECK_FALSE(guard.arrived(start + 1s, 100000, 1));
  CHECK(shield_time(guard, start) == 2s);
  CHECK(guard.deadline() == never);
}

TEST_CASE("a shield is renewed ten times a second, because the Active may have changed") {
  auto guard = flooded(start);
  CHECK(guard.deadline() == start + 100ms);
  CHECK_FALSE(guard.due(start + 99ms));
  CHECK(guard.due(start + 100ms));
  CHECK(guard.shielded());
  guard.shield_is_set(start + 100ms);
  CHECK(guard.deadline() == start + 200ms);
}

TEST_CASE("a flood that continues is let in less and less often, at least once a minute") {
  auto now = start;
  auto guard = flooded(now);
  for (const auto expected : {2s, 4s, 8s, 16s, 32s, 64s, 64s}) {
    CHECK(shield_time(guard, now) == expected);
    now += expected;
    now += 500ms;
    REQUIRE(guard.arrived(now, 100000, 1));
    guard.shield_is_set(now);
  }
}

TEST_CASE("a flood that comes back after a rest is a new one") {
  auto guard = flooded(start);
  CHECK(shield_time(guard, start) == 2s);
  CHECK(guard.arrived(start + 2500ms, 100000, 1));
  guard.shield_is_set(start + 2500ms);
  CHECK(shield_time(guard, start + 2500ms) == 4s);
  CHECK(guard.arrived(start + 8500ms, 100000, 1));
  guard.shield_is_set(start + 8500ms);
  CHECK(shield_time(guard, start + 8500ms) == 2s);
}
