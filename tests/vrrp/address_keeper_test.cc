// What must be on the interface, and what is done if it is not.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
VirtualRouterConfig quiet(VirtualRouterConfig config = c4()) {
  config.announce = {1, 0s};
  config.advertisement_interval = longest_advertisement_interval;  // no advertisement while a test waits
  return config;
}

Bench active(VirtualRouterConfig config = quiet()) {
  config.priority = std::max<Priority>(config.priority, 200);
  Bench bench({config});
  bench.wait(bench.timer());
  REQUIRE(bench.state() == StateName::active);
  bench.log.clear();
  return bench;
}

// Lines of one kind with the time since `start`.
template <class Kind>
std::vector<Duration> times(const Bench& bench, TimePoint start) {
  std::vector<Duration> result;
  for (const auto& [when, action] : bench.log)
    if (std::holds_alternative<Kind>(action)) result.push_back(when - start);
  return result;
}
}  // namespace

TEST_CASE(
    "an address that somebody removes from an Active comes back at once, is announced and told, without a "
    "flap") {
  auto bench = active();
  CHECK(bench.remove_by_hand("192.0.2.100/24") ==
        Lines{"add 192.0.2.100/24", "note address_restored", "announce 192.0.2.100"});
  CHECK(bench.holds("192.0.2.100"));
  CHECK(bench.state() == StateName::active);
  CHECK(bench.counters().addresses_restored == 1);
}

TEST_CASE(
    "removed again and again, it comes back after 0, 100, 200, 400 ms and so on, at most 5 s; later at once "
    "again") {
  auto config = quiet();
  config.dead_man = 0s;
  auto bench = active(config);
  for (int i = 0; i < 12; ++i) {
    bench.log.clear();
    const auto removed = bench.now;
    bench.remove_by_hand("192.0.2.100/24");
    bench.wait(5s);
    const auto added = times<Put>(bench, removed);
    REQUIRE(added.size() == 1);
    CHECK(added[0] <= 5s);
  }
  Bench fast = active(config);
  fast.log.clear();
  std::vector<Duration> delays;
  for (int i = 0; i < 10; ++i) {
    const auto removed = fast.now;
    fast.log.clear();
    fast.remove_by_hand("192.0.2.100/24");
    while (!fast.holds("192.0.2.100")) fast.wait(*fast.engine.next_deadline() - fast.now);
    delays.push_back(fast.now - removed);
  }
  CHECK(delays == std::vector<Duration>{0ms, 100ms, 200ms, 400ms, 800ms, 1600ms, 3200ms, 5s, 5s, 5s});
  fast.wait(61s);
  fast.remove_by_hand("192.0.2.100/24");
  CHECK(fast.holds("192.0.2.100"));
}

TEST_CASE("all addresses flushed at once are one repair") {
  auto config = quiet();
  config.addresses = {prefix("192.0.2.100/24"), prefix("192.0.2.101/24"), prefix("192.0.2.102/24")};
  auto bench = active(config);
  auto interface = bench.link;
  interface.addresses.resize(2);
  const auto lines = bench.interface(interface);
  CHECK(std::count_if(lines.begin(), lines.end(),
                      [](const auto& line) { return line.starts_with("add "); }) == 3);
  CHECK(bench.counters().addresses_restored == 3);
}

TEST_CASE("a renewal does not bring back what is waiting for its turn") {
  auto config = quiet();
  config.dead_man = 300ms;
  config.addresses.push_back(prefix("192.0.2.101/24"));
  auto bench = active(config);
  for (int i = 0; i < 5; ++i) {
    bench.remove_by_hand("192.0.2.100/24");
    while (!bench.holds("192.0.2.100")) bench.wait(*bench.engine.next_deadline() - bench.now);
  }
  bench.remove_by_hand("192.0.2.100/24");  // comes back in 1600 ms
  bench.log.clear();
  bench.wait(1500ms);
  int renewals = 0;
  for (const auto& [when, action] : bench.log)
    if (const auto* renewal = std::get_if<Renew>(&action)) {
      ++renewals;
      REQUIRE(renewal->resources.size() == 1);
      CHECK(to_string(renewal->resources[0]) == "192.0.2.101/24");
    }
  CHECK(renewals >= 10);
}

TEST_CASE("a snapshot from before our removal has been done asks for no second one, and tells nothing") {
  auto bench = active();
  bench.kernel_obeys = false;
  bench.hear({.priority = 250, .interval = longest_advertisement_interval});
  auto late = bench.link;
  late.addresses.back().ours = false;  // still there, and looks otherwise
  CHECK(bench.interface(late).empty());
  std::erase_if(bench.link.addresses,
                [](const auto& each) { return each.prefix == prefix("192.0.2.100/24"); });
  CHECK(bench.interface(bench.link).empty());
  CHECK(bench.wait(5s).empty());
}

TEST_CASE("a leftover of an earlier run is removed at the start, and told") {
  for (const bool marked : {true, false}) {
    auto interface = eth0();
    interface.addresses.push_back({prefix("192.0.2.100/24"), false, false, marked});
    Bench bench(interface);
    CHECK(bench.configure({c4()}) ==
          Lines{"remove 192.0.2.100/24", "note leftover_removed", "Initialize -> Backup"});
    CHECK_FALSE(bench.holds("192.0.2.100"));
  }
}

TEST_CASE(
    "a virtual address added by hand on a Backup goes, in whatever prefix length, at most a round a second") {
  Bench bench({quiet()});
  bench.wait(2s);
  CHECK(bench.add_by_hand("192.0.2.100/32") == Lines{"remove 192.0.2.100/32", "note leftover_removed"});
  bench.wait(300ms);
  CHECK(bench.add_by_hand("192.0.2.100/28").empty());
  CHECK(bench.wait(700ms) == Lines{"remove 192.0.2.100/28", "note leftover_removed"});
}

TEST_CASE(
    "the only address that the host is reached by is not taken from it, though it is configured as virtual") {
  auto config = quiet();
  config.addresses = {Prefix::parse("192.0.2.1/24").value()};
  Bench bench({config}, eth0("192.0.2.1/24"));
  bench.wait(10s);
  CHECK(times<Drop>(bench, TimePoint{}).empty());
  CHECK(bench.state() == StateName::initialize);
}

TEST_CASE("an address of nobody's virtual router is nobody's business") {
  Bench bench({quiet()});
  bench.wait(2s);
  CHECK(bench.add_by_hand("192.0.2.77/24").empty());
  bench.wait(5s);
  CHECK(bench.holds("192.0.2.77"));
}

TEST_CASE(
    "what the kernel refuses is told once, tried again every second, and announced when asked for again") {
  auto bench = active();
  bench.kernel_obeys = false;
  bench.link.addresses.pop_back();
  const AddressFailed failed{c4().key, prefix("192.0.2.100/24"),
                             "adding 192.0.2.100/24 to eth0: No buffer space"};
  CHECK(bench.step(failed) == Lines{"note address_failed"});
  CHECK(bench.wait(999ms).empty());
  const auto lines = bench.wait(1ms);
  CHECK(std::count(lines.begin(), lines.end(), "add 192.0.2.100/24") == 1);
  CHECK(std::count(lines.begin(), lines.end(), "announce 192.0.2.100") == 1);
  CHECK(bench.step(failed).empty());
  bench.link.addresses.push_back({prefix("192.0.2.100/32")});  // snapshots do not make it new
  bench.interface(bench.link);
  CHECK(bench.step(failed).empty());
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("refusals do not make the repair of what somebody removes any slower") {
  auto config = quiet();
  config.addresses.push_back(prefix("192.0.2.101/24"));
  auto bench = active(config);
  for (int i = 0; i < 10; ++i) {
    bench.step(AddressFailed{c4().key, prefix("192.0.2.101/24"), "refused"});
    bench.wait(1s);
  }
  bench.remove_by_hand("192.0.2.100/24");
  CHECK(bench.holds("192.0.2.100"));
}

TEST_CASE("an address that cannot be removed is tried again every second, and told once") {
  auto bench = active();
  bench.kernel_obeys = false;
  bench.hear({.priority = 250});
  const AddressFailed failed{c4().key, prefix("192.0.2.100/24"),
                             "removing 192.0.2.100/24 from eth0: Device busy"};
  CHECK(bench.step(failed) == Lines{"note address_failed"});
  CHECK(bench.wait(1s).front() == "remove 192.0.2.100/24");
  CHECK(bench.step(failed).empty());
  bench.kernel_obeys = true;
  bench.wait(1s);
  CHECK_FALSE(bench.holds("192.0.2.100"));
}

TEST_CASE("addresses of an Active are renewed with two thirds of their lifetime left, all in one action") {
  auto config = quiet();
  config.addresses.push_back(prefix("192.0.2.101/24"));
  config.dead_man = 3s;
  auto bench = active(config);
  const auto start = bench.now;
  bench.wait(10s);
  const auto renewals = times<Renew>(bench, start);
  REQUIRE(renewals.size() == 10);
  CHECK(renewals.front() == 1s);
  CHECK(renewals.back() == 10s);
  const auto& renewal = std::get<Renew>(bench.log.front().second);
  CHECK(renewal.resources.size() == 2);
  for (const auto& each : renewal.resources) CHECK(std::get<VirtualAddress>(each).valid == 3s);
}

TEST_CASE("every address is asked for with its lifetime; dead_man off: for ever, and no renewals") {
  for (const Duration dead_man : {Duration(3s), Duration(0s)}) {
    auto config = quiet();
    config.priority = 255;
    config.dead_man = dead_man;
    Bench bench({config});
    CHECK(std::get<VirtualAddress>(std::get<Put>(bench.log[1].second).resource).valid == dead_man);
    bench.log.clear();
    bench.wait(35s);
    CHECK(times<Renew>(bench, bench.now).empty() == (dead_man == 0s));
  }
}

TEST_CASE("a lifetime changed by a reload is put into the kernel at once; switched off, it is lifted") {
  auto config = quiet();
  auto bench = active(config);
  config.priority = 200;
  config.dead_man = 0s;
  bench.configure({config});
  bench.wait(0s);
  REQUIRE_FALSE(bench.log.empty());
  const auto& renewal = std::get<Renew>(bench.log.back().second);
  for (const auto& each : renewal.resources) CHECK(std::get<VirtualAddress>(each).valid == 0s);
  bench.log.clear();
  bench.wait(20s);
  CHECK(bench.log.empty());
}

TEST_CASE("a Backup renews nothing") {
  auto bench = active();
  bench.hear({.priority = 250});
  bench.log.clear();
  for (int i = 0; i < 100; ++i) {
    bench.hear({.priority = 250});
    bench.wait(1s);
  }
  CHECK(times<Renew>(bench, bench.now).empty());
}
