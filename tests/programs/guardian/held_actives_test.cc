// What a guardian does in the place of its router, and when. Interval 1 s, dead_man 9 s, unless stated; the
// router has advertised last at `start`.
#include "programs/guardian/held_actives.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
constexpr TimePoint start{1000s};

vrrp::RouterKey key(vrrp::Vrid vrid) {
  return {"eth0", vrid, Family::ipv4};
}

struct Setting {
  vrrp::Vrid vrid = 51;
  Centiseconds interval{100};
  Duration dead_man = 9s;
};

HoldState state_of(const std::vector<Setting>& settings) {
  HoldState state;
  for (const auto& each : settings) {
    vrrp::RouterSnapshot router;
    router.key = key(each.vrid);
    router.state = vrrp::StateName::active;
    router.active_adver_interval = each.interval;
    router.deadline = start + each.interval;
    state.snapshot.routers.push_back(router);
    HeldRouter held;
    held.key = router.key;
    held.advertisement.vrid = each.vrid;
    held.advertisement.interval = each.interval;
    held.dead_man = each.dead_man;
    state.held.push_back(held);
  }
  return state;
}

// Holds for one router, begun at `now`.
HeldActives holding(TimePoint now, const Setting& setting = {}) {
  HeldActives held;
  held.begin(state_of({setting}), now);
  return held;
}

using Story = std::vector<std::string>;

// What is due from each deadline on, until the end.
Story story(HeldActives& held, TimePoint end) {
  Story told;
  for (auto now = held.deadline(); now <= end; now = held.deadline()) {
    held.for_each_due(now, [&](const HeldActives::Due& due) {
      const auto when = to_string(now - start);
      if (due.advertisement) told.push_back(fmt::format("{} advertise {}", when, due.router.key.vrid));
      if (due.renewal) told.push_back(fmt::format("{} renew {}", when, due.router.key.vrid));
    });
    REQUIRE(held.deadline() > now);
  }
  return told;
}
}  // namespace

TEST_CASE("a held Active advertises exactly when its router would have") {
  auto held = holding(start + 200ms, {.dead_man = 0s});
  CHECK(story(held, start + 3500ms) == Story{"1s advertise 51", "2s advertise 51", "3s advertise 51"});
}

TEST_CASE("the addresses of a held Active are renewed three times in their lifetime") {
  auto held = holding(start + 500ms);
  CHECK(story(held, start + 7s) == Story{"1s advertise 51", "2s advertise 51", "3s advertise 51",  //
                                         "3.5s renew 51", "4s advertise 51", "5s advertise 51",    //
                                         "6s advertise 51", "6.5s renew 51", "7s advertise 51"});
}

TEST_CASE("addresses without a lifetime are not renewed") {
  auto held = holding(start, {.dead_man = 0s});
  held.for_each_due(start + 60s, [](const HeldActives::Due& due) { CHECK_FALSE(due.renewal); });
}

TEST_CASE("each Active is held at its own interval") {
  HeldActives held;
  held.begin(state_of({{.vrid = 1, .interval = Centiseconds{50}, .dead_man = 0s},
                       {.vrid = 2, .interval = Centiseconds{100}, .dead_man = 0s}}),
             start);
  CHECK(story(held, start + 1s) == Story{"500ms advertise 1", "1s advertise 1", "1s advertise 2"});
}

TEST_CASE("a guardian that is a little late keeps the rhythm, and makes up for nothing") {
  auto held = holding(start, {.dead_man = 0s});
  int sent = 0;
  held.for_each_due(start + 1300ms, [&](const HeldActives::Due&) { ++sent; });
  CHECK(held.deadline() == start + 2s);
  held.for_each_due(start + 4600ms, [&](const HeldActives::Due&) { ++sent; });
  CHECK(sent == 2);
  CHECK(held.deadline() == start + 5600ms);
}

TEST_CASE("three intervals after the last advertisement it is too late to hold") {
  auto in_time = holding(start + 2999ms);
  CHECK(in_time.take_lapsed(start + 2999ms).empty());
  const auto lapsed = in_time.take_lapsed(start + 3s);
  REQUIRE(lapsed.size() == 1);
  CHECK(lapsed[0].router.key == key(51));
  CHECK(lapsed[0].silent_for == 3s);
  CHECK(in_time.empty());
  CHECK(in_time.deadline() == never);
  in_time.for_each_due(start + 10s, [](const HeldActives::Due&) { FAIL("sends for a lapsed Active"); });
}

TEST_CASE("an Active that has lapsed takes no other with it") {
  HeldActives held;
  held.begin(state_of({{.vrid = 1, .interval = Centiseconds{10}}, {.vrid = 2}}), start);
  const auto lapsed = held.take_lapsed(start + 500ms);
  REQUIRE(lapsed.size() == 1);
  CHECK(lapsed[0].router.key == key(1));
  CHECK_FALSE(held.empty());
}

TEST_CASE("a successor continues with the deadlines that the guardian has reached") {
  auto held = holding(start);
  held.for_each_due(start + 1s, [](const HeldActives::Due&) {});
  const auto snapshot = held.snapshot();
  REQUIRE(snapshot);
  REQUIRE(snapshot->routers.size() == 1);
  CHECK(snapshot->routers[0].deadline == start + 2s);
  CHECK(snapshot->routers[0].state == vrrp::StateName::active);
}

TEST_CASE("a lapsed Active is left to its successor as it was: it must find out that it is too late") {
  auto held = holding(start);
  CHECK(held.take_lapsed(start + 10s).size() == 1);
  CHECK(held.snapshot()->routers.at(0).deadline == start + 1s);
}

TEST_CASE("a Backup is not held, and its successor starts from its state") {
  auto state = state_of({{}});
  state.held.clear();
  state.snapshot.routers[0].state = vrrp::StateName::backup;
  HeldActives held;
  held.begin(std::move(state), start);
  CHECK(held.empty());
  CHECK(held.deadline() == never);
  CHECK(held.snapshot()->routers.at(0).state == vrrp::StateName::backup);
}

TEST_CASE("after its end a hold leaves nothing behind") {
  auto held = holding(start);
  held.end();
  CHECK(held.empty());
  CHECK_FALSE(held.snapshot());
  CHECK(held.deadline() == never);
}
