// Rounds of gratuitous ARP and unsolicited NA.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
std::vector<Duration> announcements(VirtualRouterConfig config, Duration during,
                                    Interface interface = eth0()) {
  config.priority = 255;
  config.dead_man = 0s;
  Bench bench({config}, std::move(interface));
  const auto start = bench.now;
  bench.wait(during);
  std::vector<Duration> result;
  for (const auto& [when, action] : bench.log)
    if (std::holds_alternative<Announce>(action)) result.push_back(when - start);
  return result;
}
}  // namespace

TEST_CASE(
    "8.1.2 after the first round at once, four more follow at growing distances, and then one a minute") {
  CHECK(announcements(c4(), 130s) ==
        std::vector<Duration>{0ms, 100ms, 500ms, 1500ms, 3500ms, 63500ms, 123500ms});
}

TEST_CASE("repeat and refresh are settings: one round, and silence") {
  auto config = c4();
  config.announce = {1, 0s};
  CHECK(announcements(config, 1000s) == std::vector<Duration>{0ms});
  config.announce = {2, 10s};
  CHECK(announcements(config, 25s) == std::vector<Duration>{0ms, 100ms, 10100ms, 20100ms});
  config.announce = {7, 0s};
  CHECK(announcements(config, 60s) ==
        std::vector<Duration>{0ms, 100ms, 500ms, 1500ms, 3500ms, 8500ms, 13500ms});
}

namespace {
// Each announcement: when, and the last octet of its address.
std::vector<std::pair<Duration, int>> told(const Bench& bench, TimePoint since) {
  std::vector<std::pair<Duration, int>> result;
  for (const auto& [when, action] : bench.log)
    if (const auto* each = std::get_if<Announce>(&action))
      result.emplace_back(when - since, each->address.octets[3]);
  return result;
}

VirtualRouterConfig paced() {
  auto config = c4();
  config.priority = 255;
  config.dead_man = 0s;
  config.addresses = {prefix("192.0.2.101/24"), prefix("192.0.2.102/24"), prefix("192.0.2.103/24")};
  config.announce = {2, 0s, 30ms};
  return config;
}
}  // namespace

TEST_CASE(
    "pace: so long between two addresses of a round, and the pause before the next round comes after its "
    "last one") {
  Bench bench({paced()});
  const auto start = bench.now;
  bench.wait(1s);
  CHECK(told(bench, start) ==
        std::vector<std::pair<Duration, int>>{
            {0ms, 101}, {30ms, 102}, {60ms, 103}, {160ms, 101}, {190ms, 102}, {220ms, 103}});
}

TEST_CASE("pace: claims without end keep no address from being announced, and none comes faster") {
  auto config = paced();
  config.priority = 200;
  Bench bench({config});
  bench.wait(10s);
  REQUIRE(bench.state() == StateName::active);
  bench.log.clear();
  for (int i = 0; i < 100; ++i) {
    bench.wait(10ms);
    bench.hear({.priority = 50, .source = "192.0.2.3"});
  }
  const auto announced = told(bench, TimePoint{});
  for (const int address : {101, 102, 103})
    CHECK(std::count_if(announced.begin(), announced.end(),
                        [&](const auto& each) { return each.second == address; }) >= 4);
  for (std::size_t i = 1; i < announced.size(); ++i)
    CHECK(announced[i].first - announced[i - 1].first >= 30ms);
}

TEST_CASE("pace: a reload in the middle of a round cuts nothing off") {
  auto config = paced();
  Bench bench({config});
  const auto start = bench.now;
  bench.wait(10ms);
  config.addresses.erase(config.addresses.begin());  // those that remain are at other places of the list
  bench.configure({config});
  bench.wait(60ms);
  CHECK(told(bench, start) == std::vector<std::pair<Duration, int>>{{0ms, 101}, {30ms, 102}, {60ms, 103}});
}

TEST_CASE("each round names every address; the frames carry the interface's MAC") {
  auto config = c4();
  config.announce = {1, 0s};
  config.addresses.push_back(prefix("192.0.2.101/24"));
  config.priority = 255;
  Bench bench({config});
  const auto& first = std::get<Announce>(bench.log[bench.log.size() - 3].second);
  CHECK(first.address == ip("192.0.2.100"));
  CHECK(Bytes(first.frame.begin() + 6, first.frame.begin() + 12) == Bytes{2, 0, 0, 0, 0, 1});
  CHECK(std::get<Announce>(bench.log[bench.log.size() - 2].second).address == ip("192.0.2.101"));
}

TEST_CASE("8.2.2 without a virtual link-local address an NA comes from the address that it announces") {
  auto config = c6();
  config.addresses = {prefix("2001:db8::64/64")};
  config.priority = 255;
  Bench bench({config});
  const auto& announce = std::get<Announce>(bench.log[bench.log.size() - 2].second);
  CHECK(frame(announce.frame).source == ip("2001:db8::64"));
}

TEST_CASE("a link without MAC addresses has nothing to learn") {
  auto interface = eth0();
  interface.mac = {};
  CHECK(announcements(c4(), 10s, interface).empty());
}

TEST_CASE(
    "a Backup announces nothing, and a new MAC address of the interface is used from the next round on") {
  auto config = c4();
  config.priority = 255;
  Bench bench({config});
  bench.link.mac = mac("02:00:00:00:00:99");
  bench.interface(bench.link);
  bench.wait(100ms);
  const auto& announce = std::get<Announce>(bench.log.back().second);
  CHECK(announce.frame[11] == 0x99);
  bench.hear({.priority = 255, .source = "192.0.2.9"});
  bench.hear({.priority = 255, .source = "192.0.2.9"});
  bench.log.clear();
  bench.wait(3s);
  CHECK(bench.log.empty());
}
