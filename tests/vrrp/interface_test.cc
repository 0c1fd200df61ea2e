// Interfaces that come, go and change under a virtual router.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
VirtualRouterConfig quiet(VirtualRouterConfig config = c4()) {
  config.announce = {1, 0s};
  config.dead_man = 0s;
  return config;
}

Bench active(std::vector<VirtualRouterConfig> configs = {quiet()}) {
  Bench bench(std::move(configs));
  bench.wait(5s);
  bench.log.clear();
  bench.sent.clear();
  return bench;
}
}  // namespace

TEST_CASE("an interface that is deleted: Initialize, nothing sent, nothing to remove, no repair") {
  auto bench = active();
  CHECK(bench.interface(Interface{.name = "eth0"}) == Lines{"Active -> Initialize"});
  CHECK(bench.status().reason == "interface eth0 does not exist");
  CHECK(bench.counters().addresses_restored == 0);
  CHECK_FALSE(bench.engine.next_deadline());
}

TEST_CASE(
    "deleted and made anew, with or without a word between: a new start as Backup, and no address restored") {
  for (const bool told : {true, false}) {
    auto bench = active();
    if (told) bench.interface(Interface{.name = "eth0"});
    auto anew = eth0();
    anew.index = 7;
    bench.interface(anew);
    CHECK(bench.state() == StateName::backup);
    CHECK(bench.timer() == 3'609'375us);
    CHECK(bench.counters().addresses_restored == 0);
    CHECK(bench.sent.empty());
  }
}

TEST_CASE("renamed is gone under the old name and new under the other") {
  auto config = quiet();
  auto elsewhere = quiet();
  elsewhere.name = "other";
  elsewhere.key.interface = "lan0";
  Bench bench({config, elsewhere});
  bench.wait(5s);
  bench.interface(Interface{.name = "eth0"});
  auto renamed = eth0();
  renamed.name = "lan0";
  bench.step(InterfaceChanged{renamed});
  const auto status = bench.engine.status(bench.now);
  CHECK(status.routers[0].state == StateName::initialize);
  CHECK(status.routers[1].state == StateName::backup);
}

TEST_CASE(
    "a link that flaps: every loss is Initialize, every return a start as Backup, no advertisement in "
    "between") {
  auto bench = active();
  for (int i = 0; i < 20; ++i) {
    auto interface = bench.link;
    interface.running = i % 2 == 1;
    bench.wait(100ms);
    bench.interface(interface);
    CHECK(bench.state() == (i % 2 == 1 ? StateName::backup : StateName::initialize));
    CHECK_FALSE(bench.holds("192.0.2.100"));
  }
  CHECK(bench.sent.empty());
}

TEST_CASE("an owner whose link flaps is Active again at once, and announces again") {
  auto config = quiet();
  config.priority = 255;
  auto bench = active({config});
  auto interface = bench.link;
  interface.running = false;
  bench.interface(interface);
  interface = bench.link;
  interface.running = true;
  CHECK(bench.interface(interface) ==
        Lines{"Initialize -> Active", "add 192.0.2.100/24", "announce 192.0.2.100", "advert 255"});
}

TEST_CASE("admin down flushes IPv6 addresses: no repair on a link that is down") {
  auto bench = active({quiet(c6())});
  auto interface = bench.link;
  interface.up = interface.running = false;
  interface.addresses.resize(1);
  bench.interface(interface);
  CHECK(bench.state(Family::ipv6) == StateName::initialize);
  CHECK(bench.counters(Family::ipv6).addresses_restored == 0);
}

TEST_CASE("other addresses, another MTU or MAC: no reaction") {
  auto bench = active();
  auto interface = bench.link;
  interface.mtu = 9000;
  interface.mac = mac("02:00:00:00:00:02");
  interface.addresses.push_back({prefix("198.51.100.1/24")});
  CHECK(bench.interface(interface).empty());
  CHECK(bench.status().primary_address == ip("192.0.2.1"));
}

TEST_CASE("the primary address is the first that is not a virtual one of any virtual router here") {
  auto interface = eth0();
  interface.addresses.insert(interface.addresses.begin(),
                             {{prefix("192.0.2.200/24")}, {prefix("192.0.2.100/24")}});
  auto second = quiet();
  second.name = "second";
  second.key.vrid = 52;
  second.addresses = {prefix("192.0.2.200/24")};
  Bench bench({quiet(), second}, interface);
  for (const auto& router : bench.engine.status(bench.now).routers)
    CHECK(router.primary_address == ip("192.0.2.1"));
}

TEST_CASE("addresses of our making, tentative or duplicate ones are no primary address") {
  auto interface = eth0();
  interface.addresses.clear();
  interface.addresses.push_back({prefix("fe80::a/64"), true, false, false});
  interface.addresses.push_back({prefix("fe80::b/64"), false, true, false});
  interface.addresses.push_back({prefix("fe80::c/64"), false, false, true});
  interface.addresses.push_back({prefix("2001:db8::1/64")});
  interface.addresses.push_back({prefix("fe80::d/64")});
  Bench bench({quiet(c6())}, interface);
  CHECK(bench.status(Family::ipv6).primary_address == ip("fe80::d"));
}

TEST_CASE("the address that an owner has of its own is preferred to the virtual one as primary address") {
  auto config = quiet();
  config.priority = 255;
  auto interface = eth0("192.0.2.100/24");
  interface.addresses.push_back({prefix("192.0.2.1/24")});
  Bench bench({config}, interface);
  CHECK(bench.status().primary_address == ip("192.0.2.1"));
}

TEST_CASE("two interfaces do not concern each other") {
  auto other = quiet();
  other.name = "other";
  other.key.interface = "eth1";
  other.addresses = {prefix("198.51.100.10/24")};
  Bench bench({quiet(), other});
  auto eth1 = eth0();
  eth1.name = "eth1";
  eth1.index = 3;
  eth1.addresses = {{prefix("198.51.100.1/24")}};
  bench.step(InterfaceChanged{eth1});
  bench.wait(5s);
  eth1.running = false;
  bench.step(InterfaceChanged{eth1});
  for (const auto& router : bench.engine.status(bench.now).routers)
    CHECK(router.state ==
          (router.config.key.interface == "eth1" ? StateName::initialize : StateName::active));
}
