// RFC 9568 section 6.4.3: Active. Priority 100, primary address 192.0.2.2, unless said.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
VirtualRouterConfig quiet(VirtualRouterConfig config) {
  config.announce = {1, 0s};
  return config;
}

// Active, 300 ms before its next advertisement.
Bench active(VirtualRouterConfig config = c4(), std::string_view own = "192.0.2.2/24") {
  Bench bench({quiet(std::move(config))}, eth0(own));
  bench.wait(bench.timer(bench.engine.status(bench.now).routers[0].config.key.family));
  bench.wait(700ms);
  return bench;
}
}  // namespace

TEST_CASE("6.4.3 Active: Adver_Timer sends an advertisement every interval, and lateness does not add up") {
  for (const int interval : {1, 10, 100, 4095}) {
    auto config = quiet(c4());
    config.advertisement_interval = Centiseconds{interval};
    config.priority = 255;
    config.dead_man = 0s;
    Bench bench({config});
    const auto start = bench.now;
    for (int i = 1; i <= 10'000; ++i) {
      const auto deadline = *bench.engine.next_deadline();
      if (deadline != start + i * Duration(interval * 10ms)) FAIL("period ", i);
      bench.now = deadline + (i * 7919 % 1000) * 1us;  // woken up to a millisecond late
      bench.step(Tick{});
    }
    CHECK(bench.sent.size() == 10'001);
  }
}

TEST_CASE("6.4.3 Active: priority zero is answered at once, and Adver_Timer starts anew") {
  auto bench = active();
  CHECK(bench.hear("P4-0-1-plain", "192.0.2.3") == Lines{"advert 100"});
  CHECK(bench.timer() == 1s);
}

TEST_CASE("6.4.3 Active: a flood of priority zero is answered a few times an interval, the last one too") {
  auto bench = active();
  const auto before = bench.sent.size();
  for (int i = 0; i < 1000; ++i) {
    bench.now += 100us;
    bench.hear("P4-0-1-plain", "192.0.2.3");
  }
  CHECK(bench.sent.size() == before + 1);
  bench.wait(bench.timer());
  CHECK(bench.sent.size() == before + 2);
  CHECK(bench.sent.back().first - bench.sent[before].first == 250ms);
}

TEST_CASE(
    "6.4.3 Active: a higher priority makes it Backup, learning the interval, without priority zero; its last "
    "advertisement tells the winner that there were two") {
  auto bench = active();
  CHECK(bench.hear("P4-150-1-plain", "192.0.2.3") ==
        Lines{"Active -> Backup", "remove 192.0.2.100/24", "advert 100"});
  CHECK(bench.counters().priority_zero_sent == 0);
  bench.hear("P4-150-1-plain", "192.0.2.3");  // it answers
  CHECK(bench.timer() == 3'609'375us);
  auto other = active();
  other.hear("I4-50", "192.0.2.3");
  other.hear("I4-50", "192.0.2.3");
  CHECK(other.timer() == 3 * 500ms + 304'687'500ns);
}

TEST_CASE("6.4.3 Active: equal priority and a higher address makes it Backup") {
  auto bench = active();
  bench.hear("P4-100-3-plain", "192.0.2.3");
  CHECK(bench.state() == StateName::backup);
}

TEST_CASE("6.4.3 Active: equal priority and a lower address leaves it Active, and is answered at once") {
  auto bench = active();
  const auto lines = bench.hear("P4-100-1-plain", "192.0.2.1");
  CHECK(std::count(lines.begin(), lines.end(), "advert 100") == 1);
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("6.4.3 Active: addresses are compared unsigned and in network byte order") {
  struct Tie {
    std::string_view own;
    std::string peer;
    bool peer_wins;
  };
  for (const auto& tie : {Tie{"10.0.0.200/8", "192.0.2.1", true}, Tie{"9.0.0.1/8", "200.0.0.1", true},
                          Tie{"200.0.0.1/8", "9.0.0.1", false}, Tie{"192.0.2.1/24", "10.0.0.200", false},
                          Tie{"192.0.2.127/24", "192.0.2.128", true}}) {
    auto bench = active(c4(), tie.own);
    bench.hear({.priority = 100, .source = tie.peer});
    CHECK((bench.state() == StateName::backup) == tie.peer_wins);
  }
  for (const auto& tie :
       {Tie{"fe80::1/64", "fe80::ff", true}, Tie{"fe80::ff/64", "fe80::1", false},
        Tie{"fe80::7fff:0:0:1/64", "fe80::8000:0:0:1", true}, Tie{"fe80::2/64", "fe80::1:0:0:1", true}}) {
    auto bench = active(c6(), tie.own);
    bench.hear({.priority = 100, .source = tie.peer});
    CHECK((bench.state(Family::ipv6) == StateName::backup) == tie.peer_wins);
  }
}

TEST_CASE("6.4.3 Active: a lower priority is discarded and told at once; Adver_Timer keeps its deadline") {
  auto bench = active();
  bench.wait(bench.timer());
  const auto left = bench.timer();
  CHECK(bench.hear("P4-50-1-plain", "192.0.2.3") == Lines{"advert 100", "announce 192.0.2.100"});
  CHECK(bench.timer() == left);
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("6.4.3 Active: an inferior Active that goes on after it was told, is told to the operator") {
  auto bench = active();
  bench.hear("P4-50-1-plain", "192.0.2.3");  // the last word of one that we have replaced
  bench.wait(1s);
  CHECK(bench.hear("P4-50-1-plain", "192.0.2.3").front() == "note inferior_active");
  bench.wait(1s);
  CHECK(bench.hear("P4-50-1-plain", "192.0.2.3").front() != "note inferior_active");
}

TEST_CASE(
    "Active: the loser says once more that it was there, so that a winner that had not heard it announces "
    "again") {
  auto loser = active();
  auto winner = active(c4(), "192.0.2.9/24");
  winner.wait(loser.now > winner.now ? loser.now - winner.now : Duration(0));
  loser.hear({.priority = 100, .source = "192.0.2.9"});
  REQUIRE(loser.state() == StateName::backup);
  const auto& word = loser.sent.back().second;
  CHECK(word.priority == 100);
  const auto lines =
      winner.step(DatagramReceived{"eth0", word.source, word.destination, 255, word.message, false});
  CHECK(std::count(lines.begin(), lines.end(), "announce 192.0.2.100") == 1);
  CHECK(winner.state() == StateName::active);
}

TEST_CASE(
    "6.4.3 Active: a thousand inferior advertisements in 100 ms are answered twice, the rest is counted") {
  auto bench = active();
  bench.wait(bench.timer());
  const auto before = bench.sent.size();
  int notes = 0;
  for (int i = 0; i < 1000; ++i) {
    bench.now += 100us;
    for (const auto& line : bench.hear("P4-50-1-plain", "192.0.2.3")) notes += line.starts_with("note");
  }
  CHECK(bench.sent.size() == before + 2);
  CHECK(notes == 1);
  CHECK(bench.counters().reassertions == 2);
  CHECK(bench.counters().reassertions_suppressed == 998);
}

TEST_CASE("6.4.3 Active: the last word of who gives way, which waits for an answer, gets one") {
  auto bench = active();
  bench.hear("P4-50-1-plain", "192.0.2.3");
  CHECK(bench.hear("P4-50-1-plain", "192.0.2.3").back() == "advert 100");
}

TEST_CASE("6.4.3 Active: an inferior one that comes too soon after others is told a little later") {
  auto bench = active();
  bench.hear("P4-50-1-plain", "192.0.2.3");
  bench.hear("P4-50-1-plain", "192.0.2.3");
  // Nor is what comes then a way around the limit.
  for (int i = 0; i < 2; ++i) {
    bench.wait(10ms);
    bench.hear("P4-50-1-plain", "192.0.2.4");
    CHECK(bench.timer() == 240ms);
    const auto lines = bench.wait(240ms);
    CHECK(std::count(lines.begin(), lines.end(), "advert 100") == 1);
  }
}

TEST_CASE("6.4.3 Active: two that cannot agree answer each other at most four times an interval") {
  auto bench = active();
  const auto before = bench.sent.size();
  for (int i = 0; i < 10'000; ++i) {
    bench.wait(1ms);
    bench.hear("P4-50-1-plain", "192.0.2.3");
  }
  CHECK(bench.sent.size() - before <= 10 * 5 + 1);
}

TEST_CASE("6.4.3 Active: Preempt_Mode is not asked: a higher priority wins") {
  auto config = c4();
  config.preempt_mode = false;
  auto bench = active(config);
  bench.hear("P4-150-1-plain", "192.0.2.3");
  CHECK(bench.state() == StateName::backup);
}

TEST_CASE("8.3.2 two owners: told, and the lower address steps down (erratum 8298)") {
  auto config = c4();
  config.priority = 255;
  auto bench = active(config);
  CHECK(bench.hear("P4-255-1-plain", "192.0.2.3") ==
        Lines{"note owner_conflict", "Active -> Backup", "remove 192.0.2.100/24", "advert 255"});
  auto higher = active(config, "192.0.2.9/24");
  higher.hear("P4-255-1-plain", "192.0.2.3");
  CHECK(higher.state() == StateName::active);
}

TEST_CASE("6.4.3 Active: an owner that hears a lower priority stays and tells it at once") {
  auto config = c4();
  config.priority = 255;
  auto bench = active(config);
  const auto lines = bench.hear("P4-200-1-plain", "192.0.2.3");
  CHECK(bench.state() == StateName::active);
  CHECK(std::count(lines.begin(), lines.end(), "advert 255") == 1);
}

TEST_CASE(
    "6.4.3 Active: Shutdown sends priority zero and ends Adver_Timer; the addresses go when the successor is "
    "heard") {
  auto bench = active();
  CHECK(bench.step(Shutdown{}) == Lines{"advert 0", "Active -> Initialize"});
  CHECK(bench.sent.back().second.priority == 0);
  CHECK(bench.holds("192.0.2.100"));
  CHECK_FALSE(bench.engine.finished());
  bench.wait(609ms);
  CHECK(bench.holds("192.0.2.100"));
  CHECK(bench.hear({.priority = 100, .source = "192.0.2.3"}) == Lines{"remove 192.0.2.100/24"});
  CHECK(bench.engine.finished());
}

TEST_CASE("Active: after any time with two Actives the winner announces again") {
  auto bench = active();
  const auto lines = bench.hear("P4-50-1-plain", "192.0.2.3");
  CHECK(std::count(lines.begin(), lines.end(), "announce 192.0.2.100") == 1);
  // What the other one announced last may have arrived after that.
  const auto soon = bench.wait(20ms);
  CHECK(std::count(soon.begin(), soon.end(), "announce 192.0.2.100") == 1);
  CHECK(bench.wait(99ms).empty());
}

TEST_CASE(
    "Active: while a second Active goes on for long, announcements stay bounded and the last word is ours") {
  auto config = c4();
  config.advertisement_interval = Centiseconds{1};
  Bench bench({config}, eth0("192.0.2.2/24"));
  bench.wait(20s);
  REQUIRE(bench.state() == StateName::active);
  bench.log.clear();
  const auto announcements = [&] {
    return std::count_if(bench.log.begin(), bench.log.end(),
                         [](const auto& each) { return std::holds_alternative<Announce>(each.second); });
  };
  for (int i = 0; i < 1000; ++i) {
    bench.wait(1ms);
    bench.hear({.priority = 50, .source = "192.0.2.3", .interval = Centiseconds{1}});
  }
  CHECK(announcements() >= 2);
  CHECK(announcements() <= 12);
  bench.log.clear();
  bench.wait(150ms);
  CHECK(announcements() >= 1);
}

TEST_CASE(
    "Active: loss of the carrier is Initialize at once, without priority zero; back, it starts as Backup") {
  auto bench = active();
  auto interface = bench.link;
  interface.running = false;
  CHECK(bench.interface(interface) == Lines{"Active -> Initialize", "remove 192.0.2.100/24"});
  interface = bench.link;
  interface.running = true;
  CHECK(bench.interface(interface) == Lines{"Initialize -> Backup"});
  CHECK_FALSE(bench.holds("192.0.2.100"));
}

TEST_CASE(
    "Active: a changed primary address is used from the next advertisement on; none left is Initialize") {
  auto bench = active();
  auto interface = bench.link;
  interface.addresses[0].prefix = prefix("192.0.2.7/24");
  CHECK(bench.interface(interface).empty());
  bench.wait(300ms);
  CHECK(bench.sent.back().second.source == ip("192.0.2.7"));
  interface.addresses.erase(interface.addresses.begin());
  CHECK(bench.interface(interface) == Lines{"Active -> Initialize", "remove 192.0.2.100/24"});
}

TEST_CASE("Active: the tie is decided by the primary address of now") {
  auto bench = active();
  auto interface = bench.link;
  interface.addresses[0].prefix = prefix("192.0.2.7/24");
  bench.interface(interface);
  bench.hear({.priority = 100, .source = "192.0.2.5"});
  CHECK(bench.state() == StateName::active);
}

TEST_CASE(
    "Active: a changed effective priority is advertised at once, and stays Active until a better one "
    "speaks") {
  auto config = c4();
  config.priority = 200;
  config.checks = {{"web/nginx", -60, false}};
  Bench bench({quiet(config)}, eth0("192.0.2.2/24"));
  bench.check("web/nginx", true);
  bench.wait(4s);
  CHECK(bench.check("web/nginx", false) == Lines{"note priority_changed", "advert 140"});
  CHECK(bench.timer() == 1s);
  CHECK(bench.state() == StateName::active);
  bench.hear({.priority = 150, .source = "192.0.2.3"});
  CHECK(bench.state() == StateName::backup);
  CHECK(bench.check("web/nginx", true) == Lines{"note priority_changed"});
}

TEST_CASE(
    "Active: a check that says initialize sends priority zero and serves on until the successor is heard") {
  auto config = c4();
  config.checks = {{"web/nginx", 0, true}};
  Bench bench({quiet(config)}, eth0("192.0.2.2/24"));
  bench.check("web/nginx", true);
  bench.wait(4s);
  CHECK(bench.check("web/nginx", false) == Lines{"advert 0", "Active -> Initialize"});
  CHECK(bench.holds("192.0.2.100"));
  bench.hear({.priority = 100, .source = "192.0.2.3"});
  CHECK_FALSE(bench.holds("192.0.2.100"));
}

// --- the stall fence ---

TEST_CASE(
    "Active: one that stood still while its guardian advertised in its place goes on, and keeps to the "
    "rhythm") {
  auto bench = active();
  const auto key = c4().key;
  const auto due = bench.now + bench.timer();
  bench.now += 5s;
  CHECK(bench.step(AdvertisementsHeld{{{key, due + 5s}}}) == Lines{});
  CHECK(bench.timer() == 300ms);
  bench.wait(300ms);
  CHECK(bench.sent.back().first == bench.now);
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("Active: what its guardian has advertised long ago does not save one that stood still") {
  auto bench = active();
  const auto key = c4().key;
  const auto due = bench.now + bench.timer();
  bench.now += 9s;
  CHECK(bench.step(AdvertisementsHeld{{{key, due + 5s}}}) ==
        Lines{"note stalled", "Active -> Backup", "remove 192.0.2.100/24"});
}

TEST_CASE(
    "Active: one that stood still for three intervals withdraws before it sends anything, and listens") {
  auto bench = active();
  bench.sent.clear();
  CHECK(bench.wake_after(3s) == Lines{"note stalled", "Active -> Backup", "remove 192.0.2.100/24"});
  CHECK(bench.sent.empty());
  CHECK(bench.timer() == 3'609'375us);
}

TEST_CASE(
    "Active: whatever comes first after standing still, nothing is sent and the addresses are withdrawn") {
  const std::vector<Input> events{message({.priority = 50, .source = "192.0.2.3"}),
                                  message({.priority = 0, .source = "192.0.2.3"}),
                                  HealthChanged{{"web/nginx", false, {}, "refused", {}}},
                                  SwitchRequested{"edge"},
                                  Shutdown{},
                                  ConfigReplaced{{}, {}},
                                  AddressFailed{c4().key, prefix("192.0.2.100/24"), "x"}};
  for (const auto& event : events) {
    CAPTURE(event.index());
    auto config = c4();
    config.checks = {{"web/nginx", -60, false}};
    Bench bench({quiet(config)}, eth0("192.0.2.2/24"));
    bench.check("web/nginx", true);
    bench.wait(4s);
    REQUIRE(bench.state() == StateName::active);
    bench.sent.clear();
    bench.now += 10s;
    bench.step(event);
    CHECK(bench.sent.empty());
    CHECK_FALSE(bench.holds("192.0.2.100"));
  }
}

TEST_CASE("Active: late by less than three intervals it goes on, with one advertisement for those missed") {
  auto bench = active();
  bench.sent.clear();
  bench.wake_after(2200ms);
  CHECK(bench.sent.size() == 1);
  CHECK(bench.state() == StateName::active);
  CHECK(bench.timer() > 0s);
  CHECK(bench.timer() <= 1s);
}
