// When the guardian holds for its router. The interval is 1 s, addresses live for 9 s. The router is Active, has
// advertised at `start`, and is late half an interval after an advertisement was due: from start + 1.5 s on.
#include "programs/guardian/stand_in.h"

#include <doctest/doctest.h>
#include <fmt/format.h>

#include <string>
#include <vector>

#include "events/names.h"
#include "io/loop.h"

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
constexpr TimePoint start{1000s};

using Story = std::vector<std::string>;

const vrrp::RouterKey key{"eth0", 51, Family::ipv4};

HoldState active() {
  vrrp::RouterSnapshot router;
  router.key = key;
  router.state = vrrp::StateName::active;
  router.active_adver_interval = 1s;
  router.deadline = start + 1s;
  HeldRouter held;
  held.key = key;
  held.source = IpAddress::parse("192.0.2.1").value();
  held.advertisement.vrid = key.vrid;
  held.advertisement.priority = 100;
  held.advertisement.interval = Centiseconds{100};
  held.advertisement.addresses = {IpAddress::parse("192.0.2.10").value()};
  held.addresses = {Prefix::parse("192.0.2.10/24").value()};
  held.dead_man = 9s;
  return {{{router}, {}, {}}, {held}};
}

// Writes down what is asked of it.
struct Performer : HoldPerformer {
  void begin_turn() override {}
  void advertise(const HeldRouter&, TimePoint now) override { write("advertise", now); }
  void renew_addresses(const HeldRouter&) override { story.push_back("renew"); }
  void say_farewell(const HeldRouter&) override { story.push_back("farewell"); }
  void remove_addresses(const HeldRouter&) override { story.push_back("remove"); }
  void end() override { story.push_back("end"); }

  void write(const std::string& what, TimePoint now) {
    story.push_back(what + " at " + to_string(now - start));
  }

  Story story;
};

// A guardian without processes: its StandIn, and the memory that the router writes.
struct Guardian {
  Log log{"test", Level::error};
  io::Loop loop;
  Link<GuardianToMonitor, MonitorToGuardian> monitor{
      loop, log, "vipd-monitor", [](const MonitorToGuardian&) {}, [](const std::string&) {}};
  Story told;
  EventHub events{log, monitor, {}, [this](const auto& happened, bool) {
                    for (const auto& event : happened) told.push_back(event.name);
                  }};
  Hold memory = std::move(Hold::create().value());
  Hold router = std::move(Hold::adopt(io::Fd(dup(memory.fd()))).value());
  Performer performer;
  StandIn stand_in{log, events, memory, performer};

  Guardian() {
    REQUIRE(router.write(active()));
    router.set_deadline(0, start + 1s, start + 1500ms);
    router.beat(start + 100ms);
  }

  // Runs as the guardian does, until this time.
  Story run(TimePoint end, bool present) {
    performer.story.clear();
    for (auto now = stand_in.deadline(present); now <= end; now = stand_in.deadline(present)) {
      stand_in.tick(now, present);
      REQUIRE(stand_in.deadline(present) > now);
    }
    return std::exchange(performer.story, {});
  }
};
}  // namespace

TEST_CASE("stand-in: nothing is done for a router that is in time") {
  Guardian guardian;
  guardian.stand_in.tick(start + 1499ms, true);
  CHECK(guardian.performer.story.empty());
  CHECK(guardian.stand_in.deadline(true) == start + 1500ms);
  CHECK_FALSE(guardian.stand_in.holding());
}

TEST_CASE("stand-in: for a dead router the guardian advertises on time, and reports it once") {
  Guardian guardian;
  guardian.stand_in.router_ended(start + 200ms, true, false);
  CHECK(guardian.stand_in.holding());
  CHECK(guardian.run(start + 3500ms, false) ==
        Story{"advertise at 1s", "advertise at 2s", "advertise at 3s", "renew"});
  guardian.stand_in.router_ended(start + 3600ms, false, false);  // its replacement has died too
  CHECK(guardian.told == Story{"held"});
}

TEST_CASE("stand-in: a successor starts from where the guardian is, and ends the hold") {
  Guardian guardian;
  guardian.stand_in.router_ended(start + 200ms, true, false);
  guardian.run(start + 2s, false);
  CHECK(guardian.stand_in.snapshot()->routers.at(0).deadline == start + 3s);
  guardian.stand_in.router_ready();
  CHECK_FALSE(guardian.stand_in.holding());
  CHECK(guardian.performer.story == Story{"end"});
  CHECK(guardian.told == Story{"held", "hold_ended"});
}

TEST_CASE("stand-in: a planned replacement of the router is no event") {
  Guardian guardian;
  guardian.stand_in.router_ended(start + 200ms, true, true);
  CHECK(guardian.stand_in.holding());
  guardian.stand_in.router_ready();
  CHECK(guardian.told.empty());
}

TEST_CASE("stand-in: without a successor for ten seconds the addresses are given up, with a farewell") {
  Guardian guardian;
  guardian.stand_in.router_ended(start + 200ms, true, false);
  const auto story = guardian.run(start + 10199ms, false);
  CHECK(std::count(story.begin(), story.end(), "farewell") == 0);
  CHECK(guardian.run(start + 10200ms, false) == Story{"farewell", "remove", "end"});
  CHECK(guardian.told == Story{"held", "given_up"});
  CHECK_FALSE(guardian.stand_in.holding());
  CHECK_FALSE(guardian.stand_in.snapshot());
}

TEST_CASE("stand-in: the ten seconds count from the first death, not from that of a replacement") {
  Guardian guardian;
  guardian.stand_in.router_ended(start + 200ms, true, false);
  guardian.run(start + 8s, false);
  guardian.stand_in.router_ended(start + 8s, false, false);
  guardian.run(start + 10200ms, false);
  CHECK_FALSE(guardian.stand_in.holding());
}

TEST_CASE(
    "stand-in: a router that is half an interval late is held for, and learns of it when it runs again") {
  Guardian guardian;
  guardian.stand_in.tick(start + 1500ms, true);
  CHECK(guardian.stand_in.router_is_late());
  CHECK(guardian.performer.story == Story{"advertise at 1.5s"});
  const auto held = guardian.router.take_held();
  REQUIRE(held.size() == 1);
  CHECK(held[0].first == key);
  CHECK(held[0].second == start + 2s);
  guardian.router.set_deadline(0, start + 2s, start + 2500ms);
  guardian.router.beat(start + 1600ms);
  guardian.stand_in.tick(start + 1700ms, true);
  CHECK_FALSE(guardian.stand_in.router_is_late());
  CHECK_FALSE(guardian.stand_in.holding());
  CHECK(guardian.told == Story{"held", "hold_ended"});
}

TEST_CASE("stand-in: a late router that dies is held for without a gap, and reported once") {
  Guardian guardian;
  guardian.run(start + 2s, true);
  guardian.stand_in.router_ended(start + 2200ms, true, false);
  CHECK(guardian.run(start + 3s, false) == Story{"advertise at 3s"});
  CHECK(guardian.told == Story{"held"});
}

TEST_CASE("stand-in: a late router that ran again before it died has left a newer state") {
  Guardian guardian;
  guardian.run(start + 2s, true);
  auto newer = active();
  newer.snapshot.routers[0].deadline = start + 2700ms;
  REQUIRE(guardian.router.write(newer));
  guardian.router.beat(start + 2100ms);
  guardian.stand_in.router_ended(start + 2200ms, true, false);
  CHECK(guardian.stand_in.snapshot()->routers.at(0).deadline == start + 2700ms);
}

TEST_CASE("stand-in: no bound of ten seconds applies to a router that is only late") {
  Guardian guardian;
  guardian.run(start + 15s, true);
  CHECK(guardian.stand_in.holding());
}

TEST_CASE("stand-in: a guardian that stalled too removes the addresses and sends nothing") {
  Guardian guardian;
  guardian.stand_in.router_ended(start + 3s, true, false);
  CHECK(guardian.performer.story == Story{"remove"});
  CHECK_FALSE(guardian.stand_in.holding());
  CHECK(guardian.told.empty());
}

TEST_CASE("stand-in: a guardian that stalls during a hold removes the addresses and sends nothing") {
  Guardian guardian;
  guardian.stand_in.router_ended(start + 200ms, true, false);
  guardian.stand_in.tick(start + 3s, false);
  CHECK(guardian.performer.story == Story{"remove"});
  CHECK_FALSE(guardian.stand_in.holding());
}

TEST_CASE("stand-in: after a stop without a successor the addresses go at once, with a farewell") {
  Guardian guardian;
  guardian.stand_in.router_ended(start + 200ms, true, false);
  guardian.stand_in.last_will();
  CHECK(guardian.performer.story == Story{"farewell", "remove", "end"});
}

TEST_CASE("stand-in: a new guardian continues for a vipd that was killed entirely") {
  Guardian guardian;
  CHECK(guardian.stand_in.begin_for_the_dead(start + 300ms));
  CHECK(guardian.run(start + 2s, false) == Story{"advertise at 1s", "advertise at 2s"});
}

TEST_CASE("stand-in: a new guardian has nothing to continue where there was no Active") {
  Guardian guardian;
  auto backup = active();
  backup.held.clear();
  backup.snapshot.routers[0].state = vrrp::StateName::backup;
  REQUIRE(guardian.router.write(backup));
  CHECK_FALSE(guardian.stand_in.begin_for_the_dead(start + 300ms));
  CHECK_FALSE(guardian.stand_in.snapshot());
}
