// Another host that claims a virtual address. Priority 100, interval 100 cs.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vrrp/bench.h"
#include "vrrp/arp.h"
#include "vrrp/ndisc.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
// Active, its first rounds of announcements over.
Bench active(VirtualRouterConfig config = c4()) {
  Bench bench({std::move(config)});
  bench.wait(20s);
  REQUIRE(bench.state() == StateName::active);
  return bench;
}

Lines claim(Bench& bench, const char* address = "192.0.2.100", const char* by = "02:00:00:00:00:66") {
  return bench.step(AddressClaimed{"eth0", ip(address), mac(by)});
}

// What is not of every second.
Lines wait(Bench& bench, Duration duration) {
  auto lines = bench.wait(duration);
  std::erase_if(lines,
                [](const auto& line) { return line.starts_with("advert") || line.starts_with("renew"); });
  return lines;
}
}  // namespace

TEST_CASE("an unexplained claim is reported after three intervals, and the address announced again") {
  auto bench = active();
  CHECK(claim(bench).empty());
  CHECK(bench.counters().address_claims == 1);
  CHECK(wait(bench, 2999ms).empty());
  CHECK(wait(bench, 1ms) == Lines{"note address_conflict", "announce 192.0.2.100"});
  const auto& noted = std::get<Noted>(std::prev(bench.log.end(), 2)->second);
  CHECK(noted.text.starts_with("the host with MAC address 02:00:00:00:00:66 claims 192.0.2.100"));
  REQUIRE(bench.status().claim);
  CHECK(bench.status().claim->mac == mac("02:00:00:00:00:66"));
  CHECK(bench.status().claim->times == 1);
}

TEST_CASE("with any number of claims an address is defended once in ten seconds") {
  auto bench = active();
  Lines lines;
  for (int i = 0; i < 300; ++i) {
    claim(bench);
    for (const auto& line : wait(bench, 100ms)) lines.push_back(line);
  }
  CHECK(std::count(lines.begin(), lines.end(), "announce 192.0.2.100") == 3);
  CHECK(bench.counters().address_claims == 300);
}

TEST_CASE(
    "a router that takes over is no stranger, whichever of its announcement and advertisement comes first") {
  auto bench = active();
  claim(bench);
  bench.now += 200us;
  bench.hear({.priority = 200});
  REQUIRE(bench.state() == StateName::backup);
  bench.hear({.priority = 200});
  const auto later = wait(bench, 3s);
  CHECK(std::count(later.begin(), later.end(), "note address_conflict") == 0);
  CHECK_FALSE(bench.status().claim);
}

TEST_CASE("an inferior Active that is heard explains a claim") {
  auto bench = active();
  bench.hear({.priority = 50});
  claim(bench);
  const auto lines = wait(bench, 5s);
  CHECK(std::count(lines.begin(), lines.end(), "note address_conflict") == 0);
}

TEST_CASE("our own MAC address, other addresses, and claims towards a Backup are no conflict") {
  auto bench = active();
  CHECK(claim(bench, "192.0.2.100", "02:00:00:00:00:01").empty());
  CHECK(claim(bench, "192.0.2.101").empty());
  CHECK(wait(bench, 5s).empty());
  CHECK(bench.counters().address_claims == 0);
  Bench backup({c4()});
  backup.hear({.priority = 200});
  CHECK(claim(backup).empty());
  CHECK(backup.wait(3s).empty());
}

TEST_CASE(
    "a claim from the virtual router's own MAC address says so, and one without a MAC address names another "
    "host") {
  const auto text = [](const char* by) {
    auto bench = active();
    claim(bench, "192.0.2.100", by);
    bench.wait(4s);
    for (const auto& [when, action] : bench.log)
      if (const auto* noted = std::get_if<Noted>(&action); noted && noted->event == "address_conflict")
        return noted->text;
    return std::string();
  };
  CHECK(
      text("00:00:5e:00:01:33")
          .starts_with("the host with MAC address 00:00:5e:00:01:33 (that of a VRRP router with this VRID)"));
  CHECK(text("00:00:00:00:00:00").starts_with("another host claims"));
}

TEST_CASE(
    "an Active asks whether anybody else has its addresses after its first rounds, and then with each "
    "refresh") {
  auto config = c4();
  config.priority = 255;
  Bench bench({config});
  const auto start = bench.now;
  bench.wait(130s);
  std::vector<Duration> asked;
  for (const auto& [when, action] : bench.log)
    if (std::holds_alternative<Probe>(action)) asked.push_back(when - start);
  CHECK(asked == std::vector<Duration>{3500ms, 63500ms, 123500ms});
  config.announce = {1, 0s};
  Bench quiet({config});
  quiet.wait(100s);
  CHECK(std::none_of(quiet.log.begin(), quiet.log.end(),
                     [](const auto& each) { return std::holds_alternative<Probe>(each.second); }));
}

TEST_CASE("RFC 5227 2.1.1 an ARP probe has sender 0.0.0.0 and target hardware address zero") {
  const auto probe = arp_probe(mac("02:00:00:00:00:01"), ip("192.0.2.100"));
  auto expected = gratuitous_arp(mac("02:00:00:00:00:01"), ip("192.0.2.100"));
  std::fill_n(expected.begin() + 28, 4, 0);
  std::fill_n(expected.begin() + 32, 6, 0);
  CHECK(probe == expected);
}

TEST_CASE(
    "RFC 4862 5.4.2 a probe for an IPv6 address goes to its solicited-node group, from the unspecified "
    "address") {
  const auto bytes = duplicate_address_probe(mac("02:00:00:00:00:01"), ip("2001:db8::1234:5678"));
  const auto question = frame(bytes);
  CHECK(question.to == mac("33:33:ff:34:56:78"));
  CHECK(question.source == ip("::"));
  CHECK(question.destination == ip("ff02::1:ff34:5678"));
  CHECK(question.hop_limit == 255);
  CHECK(question.payload.size() == 24);
  CHECK(question.payload[0] == 135);
  CHECK(IpAddress::from_bytes(std::span(question.payload).subspan(8, 16)) == ip("2001:db8::1234:5678"));
}

TEST_CASE("a lower Active that continues despite our answers does not hear us: reported until it ends") {
  auto bench = active();
  Lines lines;
  for (int i = 0; i < 6; ++i) {
    for (const auto& line : bench.hear({.priority = 50})) lines.push_back(line);
    CHECK(bench.status().deaf_peer.has_value() == (i >= 4));
    bench.wait(1s);
  }
  CHECK(std::count(lines.begin(), lines.end(), "note one_way") == 1);
  CHECK(bench.status().deaf_peer == ip("192.0.2.2"));
  bench.wait(2001ms);
  CHECK_FALSE(bench.status().deaf_peer);
}

TEST_CASE("an Active whose answers are lost three times is not called deaf, nor is a flood of one instant") {
  auto bench = active();
  for (int i = 0; i < 4; ++i) {
    bench.hear({.priority = 50});
    bench.wait(1s);
  }
  CHECK_FALSE(bench.status().deaf_peer);
  auto flooded = active();
  for (int i = 0; i < 1000; ++i) flooded.hear({.priority = 50});
  CHECK_FALSE(flooded.status().deaf_peer);
}
