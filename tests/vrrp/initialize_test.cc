// RFC 9568 section 6.4.1: Initialize, and what keeps a virtual router there.
#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
VirtualRouterConfig owner(VirtualRouterConfig config) {
  config.priority = 255;
  return config;
}
}  // namespace

TEST_CASE(
    "6.4.1 Initialize: Startup with priority below 255 sends nothing, sets Active_Down_Timer, and is "
    "Backup") {
  Bench bench;
  CHECK(bench.configure({c4()}) == Lines{"Initialize -> Backup"});
  CHECK(bench.timer() == 3'609'375us);
  CHECK(bench.status().active_adver_interval == 1s);
}

TEST_CASE(
    "6.4.1 Initialize: Startup of the owner announces each address and sends an advertisement, and is "
    "Active") {
  Bench bench;
  auto config = owner(c4());
  config.addresses.push_back(prefix("192.0.2.101/24"));
  CHECK(bench.configure({config}) == Lines{"Initialize -> Active", "add 192.0.2.100/24", "add 192.0.2.101/24",
                                           "announce 192.0.2.100", "announce 192.0.2.101", "advert 255"});
  CHECK(bench.timer() == 1s);
}

TEST_CASE("6.4.1 Initialize: Startup of an IPv6 owner sends an NA per address, with R and O and the MAC") {
  Bench bench;
  CHECK(bench.configure({owner(c6())}) == Lines{"Initialize -> Active", "add fe80::51/64",
                                                "add 2001:db8::64/64", "announce fe80::51",
                                                "announce 2001:db8::64", "advert 255"});
  for (const auto& [when, action] : bench.log) {
    const auto* announce = std::get_if<Announce>(&action);
    if (!announce) continue;
    CHECK(frame(announce->frame).to == mac("33:33:00:00:00:01"));
    CHECK(frame(announce->frame).source == ip("fe80::51"));
    const auto& message = frame(announce->frame).payload;
    CHECK(message[4] == 0xa0);
    CHECK(Bytes(message.begin() + 26, message.end()) == Bytes{0x02, 0, 0, 0, 0, 0x01});
  }
}

TEST_CASE("6.4.1 Initialize: an owner's own addresses are neither added nor ever removed") {
  Bench bench({owner(c4())}, eth0("192.0.2.100/24"));
  CHECK(bench.state() == StateName::active);
  CHECK(bench.sent.back().second.source == ip("192.0.2.100"));
  bench.wait(3s);
  bench.step(Shutdown{});
  bench.wait(10s);
  for (const auto& [when, action] : bench.log) {
    CHECK_FALSE(std::holds_alternative<Put>(action));
    CHECK_FALSE(std::holds_alternative<Drop>(action));
    CHECK_FALSE(std::holds_alternative<Renew>(action));
  }
  CHECK(bench.engine.finished());
  CHECK(bench.holds("192.0.2.100"));
}

TEST_CASE("6.4.1 Initialize: no advertisement has an effect") {
  auto interface = eth0();
  interface.running = false;
  for (const int priority : {0, 50, 100, 200, 255}) {
    Bench bench({c4()}, interface);
    CHECK(bench.hear({.priority = priority}).empty());
    CHECK(bench.state() == StateName::initialize);
    CHECK_FALSE(bench.engine.next_deadline());
  }
  Bench nothing;
  CHECK(nothing.hear({.priority = 200}) == Lines{"discard vrid"});
}

TEST_CASE("8.1.2 Initialize: an interface without an IPv4 address of its own, until it gets one") {
  auto interface = eth0();
  interface.addresses.erase(interface.addresses.begin());
  Bench bench({c4()}, interface);
  CHECK(bench.state() == StateName::initialize);
  CHECK(bench.status().obstacles ==
        Lines{"interface eth0 has no IPv4 address of its own (to send advertisements from)"});
  CHECK(bench.interface(eth0()) == Lines{"Initialize -> Backup"});
}

TEST_CASE("Initialize: a virtual address is no address of its own to send from") {
  Bench bench({c4()}, eth0("192.0.2.100/24"));
  CHECK(bench.state() == StateName::initialize);
}

TEST_CASE("Initialize: missing, down, without carrier: each has its reason, and recovery is by itself") {
  auto gone = eth0();
  gone.index = 0;
  auto down = eth0();
  down.up = down.running = false;
  auto no_carrier = eth0();
  no_carrier.running = false;
  const std::vector<std::pair<Interface, std::string>> cases{
      {gone, "interface eth0 does not exist"},
      {down, "interface eth0 is down (ip link set eth0 up)"},
      {no_carrier, "interface eth0 has no carrier"}};
  for (const auto& [interface, reason] : cases) {
    for (const auto& config : {c4(), owner(c4())}) {
      Bench bench({config}, interface);
      CHECK(bench.status().obstacles == Lines{reason});
      CHECK(bench.status().reason == reason);
      CHECK(bench.sent.empty());
      bench.interface(eth0());
      CHECK(bench.state() == (config.owner() ? StateName::active : StateName::backup));
      CHECK(bench.status().obstacles.empty());
    }
  }
}

TEST_CASE("Initialize: an interface that was never reported does not exist") {
  Bench bench;
  auto config = c4();
  config.key.interface = "eth9";
  bench.configure({config});
  CHECK(bench.status().obstacles == Lines{"interface eth9 does not exist"});
}

TEST_CASE(
    "5.1.2.1 Initialize, IPv6: without link-local, with a tentative or a duplicate one, until it may be "
    "used") {
  auto interface = eth0();
  auto& link_local = interface.addresses[1];
  link_local.tentative = true;
  Bench bench({c6()}, interface);
  CHECK(bench.status(Family::ipv6).obstacles == Lines{"the link-local address of eth0 is still tentative"});
  link_local.dad_failed = true;
  bench.interface(interface);
  CHECK(bench.status(Family::ipv6).obstacles ==
        Lines{"another host uses the link-local address of eth0 (duplicate address detection failed)"});
  auto without = eth0();
  without.addresses.pop_back();
  bench.interface(without);
  CHECK(bench.status(Family::ipv6).obstacles ==
        Lines{"interface eth0 has no IPv6 link-local address (is IPv6 disabled on it?)"});
  CHECK(bench.interface(eth0()) == Lines{"Initialize -> Backup"});
}

TEST_CASE("Initialize: a check that says initialize keeps it there, until it has passed") {
  auto config = c4();
  config.checks = {{"web/nginx", 0, true}};
  Bench bench({config});
  CHECK(bench.status().obstacles == Lines{"check web/nginx has no result yet"});
  CHECK(bench.check("web/nginx", false) == Lines{"note obstructed"});
  CHECK(bench.status().reason == "check web/nginx is down: connection refused");
  CHECK(bench.check("web/nginx", true) == Lines{"Initialize -> Backup"});
}

TEST_CASE("repeating a fact changes nothing and sends nothing, in every state") {
  for (const bool active : {false, true}) {
    auto config = c4();
    config.checks = {{"web/nginx", -60, false}};
    Bench bench({config, c6()});
    const HealthChanged fact{{"web/nginx", true, {}, "200 OK", bench.now}};
    bench.step(fact);
    if (active) bench.wait(5s);
    const auto before = bench.fingerprint();
    CHECK(bench.step(fact).empty());
    CHECK(bench.interface(bench.link).empty());
    CHECK(bench.configure({config, c6()}).empty());
    CHECK(bench.step(Tick{}).empty());
    CHECK(bench.fingerprint() == before);
  }
}
