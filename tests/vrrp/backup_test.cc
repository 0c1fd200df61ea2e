// RFC 9568 section 6.4.2: Backup. Priority 100, learnt interval 100 cs, unless said.
#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
// A Backup that has heard an Active of priority 150 just now.
Bench backup(VirtualRouterConfig config = c4()) {
  Bench bench({std::move(config)});
  bench.wait(1s);
  bench.hear("P4-150-1-plain");
  bench.wait(200ms);
  return bench;
}

VirtualRouterConfig no_preempt() {
  auto config = c4();
  config.preempt_mode = false;
  return config;
}
}  // namespace

TEST_CASE("6.4.2 Backup: a higher priority resets Active_Down_Timer to Active_Down_Interval") {
  auto bench = backup();
  CHECK(bench.hear("P4-150-1-plain").empty());
  CHECK(bench.timer() == 3'609'375us);
}

TEST_CASE("6.4.2 Backup: an equal priority is authoritative, whichever address is the higher") {
  for (const auto* own : {"192.0.2.1/24", "192.0.2.3/24"}) {
    Bench bench({c4()}, eth0(own));
    bench.wait(2s);
    bench.hear("P4-100-2-plain", "192.0.2.2");
    CHECK(bench.timer() == 3'609'375us);
    CHECK(bench.state() == StateName::backup);
  }
}

TEST_CASE("6.4.2 Backup: with Preempt_Mode a lower priority is discarded, and the old deadline stands") {
  auto bench = backup();
  const auto left = bench.timer();
  CHECK(bench.hear("P4-50-1-plain", "192.0.2.3").empty());
  CHECK(bench.timer() == left);
  bench.wait(left - 1ns);
  CHECK(bench.state() == StateName::backup);
  bench.wait(1ns);
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("6.4.2 Backup: without Preempt_Mode a lower priority is followed") {
  auto bench = backup(no_preempt());
  bench.wait(1s);
  bench.hear("P4-50-1-plain", "192.0.2.3");
  CHECK(bench.timer() == 3'609'375us);
}

TEST_CASE(
    "6.4.2 Backup: priority zero sets Active_Down_Timer to Skew_Time, and the packet's interval is not "
    "adopted") {
  for (const int interval : {100, 10, 4095}) {
    auto bench = backup();
    bench.hear({.priority = 0, .interval = Centiseconds{interval}});
    CHECK(bench.timer() == 609'375us);
    CHECK(bench.status().active_adver_interval == 1s);
  }
}

TEST_CASE("6.4.2 Backup: an Active after priority zero puts the timer back") {
  auto bench = backup();
  bench.hear("P4-0-1-plain");
  bench.wait(100ms);
  bench.hear("P4-200-1-plain", "192.0.2.3");
  CHECK(bench.timer() == 3'609'375us);
}

TEST_CASE("6.4.2 Backup: repeated priority zero does not put the take-over off for ever") {
  auto bench = backup();
  bench.hear("P4-0-1-plain");
  bench.wait(500ms);
  bench.hear("P4-0-1-plain");
  CHECK(bench.timer() == 109'375us);
  bench.wait(109'375us);
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("6.1 Backup: the learnt interval counts: 10 cs gives 360.94 ms") {
  auto bench = backup();
  bench.hear("I4-10");
  CHECK(bench.timer() == 360'937'500ns);
  CHECK(bench.status().active_adver_interval == 100ms);
  bench.hear("P4-0-1-plain");
  CHECK(bench.timer() == 60'937'500ns);
}

TEST_CASE("6.1 Backup: take-over one Active_Down_Interval after the last advertisement, to the nanosecond") {
  for (const auto& [id, interval] :
       {std::pair{"I4-1", 360'937'500ns / 10}, {"I4-10", 360'937'500ns}, {"I4-50", 1'804'687'500ns}}) {
    auto bench = backup();
    bench.hear(id);
    CHECK(bench.timer() == Duration(interval));
    bench.wait(Duration(interval) - 1ns);
    CHECK(bench.state() == StateName::backup);
    bench.wait(1ns);
    CHECK(bench.state() == StateName::active);
  }
}

TEST_CASE("6.4.2 Backup: at the deadline: addresses, then an announcement for each, then the advertisement") {
  auto bench = backup();
  CHECK(bench.wait(bench.timer()) ==
        Lines{"Backup -> Active", "add 192.0.2.100/24", "announce 192.0.2.100", "advert 100"});
  CHECK(bench.timer() == 1s);
  CHECK(bench.status().reason == "nothing heard from 192.0.2.2 for 3.61 s");
}

TEST_CASE("6.4.2 Backup, IPv6: at the deadline: addresses, then an NA for each, then the advertisement") {
  Bench bench({c6()});
  CHECK(bench.wait(bench.timer(Family::ipv6)) == Lines{"Backup -> Active", "add fe80::51/64",
                                                       "add 2001:db8::64/64", "announce fe80::51",
                                                       "announce 2001:db8::64", "advert 100"});
}

TEST_CASE("6.1 Backup: after the take-over our own interval counts, not the learnt one") {
  auto bench = backup();
  bench.hear("I4-50");
  bench.wait(bench.timer());
  CHECK(bench.sent.back().second.message == vector("P4-100-1-plain"));
  const auto first = bench.sent.back().first;
  bench.wait(1s);
  CHECK(bench.sent.back().first - first == 1s);
}

TEST_CASE("6.4.2 Backup: Shutdown sends nothing, cancels the timer, and is Initialize") {
  auto bench = backup();
  CHECK(bench.step(Shutdown{}) == Lines{"Backup -> Initialize"});
  CHECK_FALSE(bench.engine.next_deadline());
  CHECK(bench.sent.empty());
  CHECK(bench.engine.finished());
}

TEST_CASE(
    "6.4.2 Backup: the addresses are not on the interface, so that the kernel cannot answer ARP, NS or "
    "ping") {
  auto interface = eth0();
  interface.addresses.push_back({prefix("192.0.2.100/24"), false, false, true});
  interface.addresses.push_back({prefix("2001:db8::64/64"), false, false, true});
  Bench bench({c4(), c6()}, interface);
  CHECK(bench.state() == StateName::backup);
  CHECK_FALSE(bench.holds("192.0.2.100"));
  CHECK_FALSE(bench.holds("2001:db8::64"));
  bench.wait(1100ms);  // removals are limited to a round a second
  bench.add_by_hand("192.0.2.100/32");
  CHECK_FALSE(bench.holds("192.0.2.100"));
}

TEST_CASE("Backup: a priority raised at run time shortens the timer to what it would have been") {
  auto config = c4();
  auto bench = backup(config);
  config.priority = 200;
  bench.configure({config});
  CHECK(bench.timer() == 3'218'750us - 200ms);
  bench.hear("P4-150-1-plain");
  CHECK(bench.timer() == 3'218'750us - 200ms);
  bench.wait(bench.timer());
  CHECK(bench.state() == StateName::active);
}

TEST_CASE(
    "Backup: a priority that goes up shortens the timer, never below the three intervals; down again, it "
    "follows the Active that it has heard") {
  auto config = c4();
  auto bench = backup(config);
  for (int i = 0; i < 20; ++i) {
    config.priority = i % 2 ? 100 : 200;
    bench.configure({config});
  }
  CHECK(bench.timer() == active_down_interval(100, 1s) - 200ms);
}

TEST_CASE("Backup: a priority lowered at run time counts from the next advertisement on") {
  auto config = c4();
  auto bench = backup(config);
  const auto left = bench.timer();
  config.priority = 50;
  bench.configure({config});
  CHECK(bench.timer() == left);
  bench.hear("P4-150-1-plain");
  CHECK(bench.timer() == 3s + 206 * Duration(1s) / 256);
}

TEST_CASE("6.4.2 Backup: without Preempt_Mode a silent Active is replaced all the same") {
  auto bench = backup(no_preempt());
  bench.wait(bench.timer());
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("6.1 Preempt_Mode does not apply to the owner: it takes its addresses back") {
  auto config = no_preempt();
  config.priority = 255;
  Bench bench({config});
  bench.hear({.priority = 255, .source = "192.0.2.9"});  // another owner, by mistake
  REQUIRE(bench.state() == StateName::backup);
  const auto left = bench.timer();
  bench.wait(1s);
  bench.hear({.priority = 150, .source = "192.0.2.2"});
  CHECK(bench.timer() == left - 1s);
}

TEST_CASE("6.4.2 Backup: Preempt_Mode switched on changes nothing until the next lower advertisement") {
  auto config = no_preempt();
  auto bench = backup(config);
  bench.hear("P4-50-1-plain", "192.0.2.3");
  bench.wait(500ms);
  const auto left = bench.timer();
  config.preempt_mode = true;
  CHECK(bench.configure({config}).empty());
  CHECK(bench.timer() == left);
  bench.hear({.priority = 50, .source = "192.0.2.3"});
  CHECK(bench.timer() == left);
}

TEST_CASE(
    "8.3.2 of two Backups the better one is Active before the other's timer ends, at 1 s, 100 ms and 10 ms") {
  for (const int interval : {100, 10, 1}) {
    auto better = c4();
    auto worse = c4();
    better.advertisement_interval = worse.advertisement_interval = Centiseconds{interval};
    worse.priority = 99;
    Bench first({better}, eth0("192.0.2.2/24"));
    Bench second({worse}, eth0("192.0.2.3/24"));
    first.wait(first.timer());
    REQUIRE(first.state() == StateName::active);
    second.wait(first.now - second.now);
    CHECK(second.state() == StateName::backup);
    CHECK(second.timer() == Duration(interval * 10ms) / 256);  // what is left for the advertisement to arrive
    const auto& advert = first.sent.back().second;
    second.step(DatagramReceived{"eth0", advert.source, advert.destination, 255, advert.message, false});
    CHECK(second.timer() == active_down_interval(99, interval * 10ms));
  }
}

TEST_CASE("8.3.2 two Backups that both turned Active: the lower one steps back at the first advertisement") {
  auto worse = c4();
  worse.priority = 99;
  worse.advertisement_interval = Centiseconds{1};
  Bench second({worse}, eth0("192.0.2.3/24"));
  second.wait(second.timer());
  REQUIRE(second.state() == StateName::active);
  CHECK(second.hear({.priority = 100, .interval = Centiseconds{1}}) ==
        Lines{"Active -> Backup", "remove 192.0.2.100/24", "advert 99"});
}

// --- the fast health move: what we follow falls below us ---

TEST_CASE(
    "Backup: a followed Active that falls below us is replaced after Skew_Time, not after three intervals") {
  auto bench = backup();
  CHECK(bench.hear({.priority = 90}).empty());
  CHECK(bench.timer() == 609'375us);
  bench.wait(609'375us);
  CHECK(bench.state() == StateName::active);
  CHECK(bench.status().reason == "192.0.2.2 advertises priority 90, lower than our 100");
}

TEST_CASE(
    "Backup: repeated lower advertisements do not put the fast move off, with and without Preempt_Mode") {
  for (auto config : {c4(), no_preempt()}) {
    config.priority = 1;
    config.checks = {{"web/nginx", -1, false}};
    config.priority = 10;  // a long Skew_Time: the fallen Active advertises once more before it ends
    Bench bench({config});
    bench.check("web/nginx", true);
    bench.hear("P4-150-1-plain");
    bench.hear({.priority = 5});
    const auto left = bench.timer();
    CHECK(left == skew_time(10, 1s));
    bench.wait(900ms);
    bench.hear({.priority = 5});
    CHECK(bench.timer() == left - 900ms);
    bench.hear({.priority = 4});
    CHECK(bench.timer() == left - 900ms);
  }
}

TEST_CASE("Backup: a third router between two advertisements of the followed Active does not slow the move") {
  auto bench = backup();
  bench.hear({.priority = 50, .source = "192.0.2.3"});
  bench.hear({.priority = 90, .source = "192.0.2.2"});
  CHECK(bench.timer() == 609'375us);
}

TEST_CASE("Backup: an inferior Active that we do not follow shortens no timer when it falls further") {
  Bench bench({c4()});
  bench.hear({.priority = 90});
  const auto left = bench.timer();
  bench.hear({.priority = 80});
  CHECK(bench.timer() == left);
}

TEST_CASE("Backup: an Active that falls, but not below us, is followed on") {
  auto bench = backup();
  bench.hear({.priority = 120});
  CHECK(bench.timer() == 3'609'375us);
  bench.hear({.priority = 100});
  CHECK(bench.timer() == 3'609'375us);
}

TEST_CASE("Backup: an Active that falls below us and recovers in time is followed again") {
  auto bench = backup();
  bench.hear({.priority = 90});
  bench.wait(300ms);
  bench.hear({.priority = 150});
  CHECK(bench.timer() == 3'609'375us);
}

TEST_CASE("Backup: once healthy again, we replace an Active that is known to have fallen, after Skew_Time") {
  for (auto config : {c4(), no_preempt()}) {
    config.priority = 140;
    config.checks = {{"web/nginx", -60, false}};
    Bench bench({config});
    bench.check("web/nginx", false);
    bench.hear({.priority = 150});
    bench.hear({.priority = 90});  // both unhealthy: 80 against 90, the Active stays
    CHECK(bench.timer() == active_down_interval(80, 1s));
    bench.wait(500ms);
    bench.check("web/nginx", true);
    CHECK(bench.state() == StateName::backup);
    bench.wait(500ms);
    bench.hear({.priority = 90});
    CHECK(bench.timer() == skew_time(140, 1s));
  }
}

TEST_CASE("Backup: the last word of a lower Active does not hide that its successor falls") {
  Bench bench({no_preempt()});
  bench.hear({.priority = 26, .source = "192.0.2.2"});
  bench.hear({.priority = 105, .source = "192.0.2.3"});
  bench.hear({.priority = 26, .source = "192.0.2.2"});
  bench.wait(50ms);
  bench.hear({.priority = 45, .source = "192.0.2.3"});
  CHECK(bench.timer() == skew_time(100, 1s));
}

TEST_CASE("Backup: without Preempt_Mode it follows the router that replaces a fallen Active") {
  Bench bench({no_preempt()});
  bench.hear({.priority = 211, .source = "192.0.2.3"});
  bench.hear({.priority = 91, .source = "192.0.2.3"});
  bench.wait(200ms);
  bench.hear({.priority = 95, .source = "192.0.2.2"});
  bench.hear({.priority = 91, .source = "192.0.2.3"});
  CHECK(bench.timer() == active_down_interval(100, 1s));
}

TEST_CASE(
    "Backup: without Preempt_Mode a lower Active that goes on when the better one is gone is followed") {
  Bench bench({no_preempt()});
  bench.hear({.priority = 105, .source = "192.0.2.3"});
  bench.hear({.priority = 26, .source = "192.0.2.2"});
  bench.wait(1300ms);
  bench.hear({.priority = 26, .source = "192.0.2.2"});
  CHECK(bench.timer() == active_down_interval(100, 1s));
}

TEST_CASE("Backup: without Preempt_Mode an equally healthy lower Active keeps the addresses") {
  auto bench = backup(no_preempt());
  bench.hear("P4-0-1-plain");
  bench.hear({.priority = 90, .source = "192.0.2.3"});
  for (int i = 0; i < 10; ++i) {
    bench.wait(1s);
    bench.hear({.priority = 90, .source = "192.0.2.3"});
  }
  CHECK(bench.state() == StateName::backup);
}

// --- the stall fence ---

TEST_CASE(
    "Backup: who wakes up an Active_Down_Interval late has heard nobody: it listens anew before it takes "
    "over") {
  auto bench = backup();
  CHECK(bench.wake_after(10s) == Lines{"note stalled"});
  CHECK(bench.state() == StateName::backup);
  CHECK(bench.timer() == 3'609'375us);
  bench.wait(bench.timer());
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("Backup: a wake-up that is a little late takes over at once") {
  auto bench = backup();
  bench.wake_after(bench.timer() + 500ms);
  CHECK(bench.state() == StateName::active);
  CHECK(bench.timer() == 1s);
}
