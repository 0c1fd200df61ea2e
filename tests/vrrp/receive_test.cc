// What arrives and must not matter: each reason for a discard moves one counter and nothing else, in all
// three states and both families (RFC 9568 section 7.1).
#include <doctest/doctest.h>

#include <random>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
// A bench with both families in the state asked for, some time after it got there.
Bench bench_in(StateName state) {
  auto four = c4();
  auto six = c6();
  if (state == StateName::active) four.priority = six.priority = 200;
  auto interface = eth0();
  if (state == StateName::initialize) interface.running = false;
  Bench bench({four, six}, interface);
  if (state == StateName::active) bench.wait(5s);
  bench.wait(100ms);
  REQUIRE(bench.state() == state);
  REQUIRE(bench.state(Family::ipv6) == state);
  return bench;
}

constexpr std::array all_states{StateName::initialize, StateName::backup, StateName::active};

void check_no_reaction(Bench& bench, const DatagramReceived& datagram, DecodeError reason) {
  const auto before = bench.fingerprint();
  const auto counted = bench.counted();
  CHECK(bench.step(datagram) == Lines{"discard " + std::string(to_string(reason))});
  CHECK(bench.fingerprint() == before);
  CHECK(bench.counted() == counted + 1);
}

struct Bad {
  std::string what;
  DatagramReceived datagram;
  DecodeError reason;
};

DatagramReceived raw(const std::string& id, std::string_view source = "192.0.2.2") {
  const auto address = ip(source);
  return {"eth0", address, multicast_group(address.family), 255, vector(id), false};
}

std::vector<Bad> bad_datagrams() {
  std::vector<Bad> list;
  for (const auto* id : {"F4-ttl254", "F6-hl64"})
    list.push_back({id, datagram(frame(vector(id))), DecodeError::hop_limit});
  for (const int ttl : {0, 1}) {
    auto packet = datagram(frame(vector("F4-ok")));
    packet.hop_limit = ttl;
    list.push_back({"TTL " + std::to_string(ttl), packet, DecodeError::hop_limit});
  }
  list.push_back({"global source", datagram(frame(vector("F6-gsrc"))), DecodeError::source});
  list.push_back({"G10 type 2", raw("G10"), DecodeError::type});
  list.push_back({"G11 version 4", raw("G11"), DecodeError::version});
  for (const auto* id : {"G14", "G15", "G16", "V4-v2in3"})
    list.push_back({"VRRPv2", raw(id), DecodeError::version});
  for (const auto* id : {"B4-short7", "G18", "B4-255addr"})
    list.push_back({id, raw(id), DecodeError::length});
  list.push_back({"G8 no address", raw("G8"), DecodeError::address_count});
  list.push_back({"bad checksum", raw("B4-badck"), DecodeError::checksum});
  list.push_back({"I4-0", raw("I4-0"), DecodeError::interval});
  list.push_back({"G7", raw("G7"), DecodeError::interval});
  list.push_back({"VRID 52", raw("W4-vrid52"), DecodeError::vrid});
  list.push_back({"VRID 0", raw("W4-vrid0"), DecodeError::vrid});
  list.push_back({"own packet", raw("P4-150-1-plain", "192.0.2.1"), DecodeError::own_packet});
  list.push_back({"own packet", raw("P6-150", "fe80::1"), DecodeError::own_packet});
  auto unicast = datagram(frame(vector("F4-ok")));
  unicast.destination = ip("192.0.2.1");
  list.push_back({"unicast", unicast, DecodeError::wrong_destination});
  auto truncated = datagram(frame(vector("F6-ok")));
  truncated.truncated = true;
  list.push_back({"truncated", truncated, DecodeError::length});
  return list;
}
}  // namespace

TEST_CASE("7.1 a discarded message changes no state and no timer and sends nothing; one counter moves") {
  for (const auto state : all_states) {
    auto bench = bench_in(state);
    for (const auto& bad : bad_datagrams()) {
      CAPTURE(to_string(state));
      CAPTURE(bad.what);
      check_no_reaction(bench, bad.datagram, bad.reason);
    }
  }
}

TEST_CASE("7.1 a discard is counted at the virtual router if its VRID is known, else at the interface") {
  auto bench = bench_in(StateName::backup);
  const auto at = [](const DiscardCounters& counters, DecodeError error) {
    return counters[static_cast<std::size_t>(error)];
  };
  bench.hear("B4-badck");
  bench.hear("W4-vrid52");
  CHECK(at(bench.counters().discarded, DecodeError::checksum) == 1);
  CHECK(at(bench.engine.status(bench.now).discarded.at("eth0"), DecodeError::vrid) == 1);
}

TEST_CASE("7.1 a VRID that is known on another interface only is an unknown one here") {
  auto bench = bench_in(StateName::backup);
  const auto before = bench.fingerprint();
  auto elsewhere = raw("P4-150-1-plain");
  elsewhere.interface = "eth1";
  CHECK(bench.step(elsewhere) == Lines{"discard vrid"});
  CHECK(bench.engine.status(bench.now).discarded.at("eth1")[static_cast<std::size_t>(DecodeError::vrid)] ==
        1);
  CHECK(bench.fingerprint() == before);
}

TEST_CASE("7.1 whole frames are accepted, with either IPv4 checksum, with IPv4 options, and IPv6") {
  for (const auto* id : {"F4-ok", "F4-ok-pseudo", "F4-opts"}) {
    auto bench = bench_in(StateName::backup);
    CHECK(bench.step(datagram(frame(vector(id)))).empty());
    CHECK(bench.timer() == 3'609'375us);
  }
  auto bench = bench_in(StateName::backup);
  bench.step(datagram(frame(vector("F6-ok"))));
  CHECK(bench.timer(Family::ipv6) == 3'609'375us);
}

TEST_CASE("5.2.8 checksum rfc9568 discards the pseudo-header form, checksum pseudo_header the other") {
  for (const auto mode : {ChecksumMode::rfc9568, ChecksumMode::pseudo_header}) {
    auto config = c4();
    config.checksum = mode;
    Bench bench({config});
    const auto* good = mode == ChecksumMode::rfc9568 ? "F4-ok" : "F4-ok-pseudo";
    const auto* bad = mode == ChecksumMode::rfc9568 ? "F4-ok-pseudo" : "F4-ok";
    check_no_reaction(bench, datagram(frame(vector(bad))), DecodeError::checksum);
    CHECK(bench.step(datagram(frame(vector(good)))).empty());
    CHECK(bench.counters().advertisements_received == 1);
  }
}

TEST_CASE("5.2.8 checksum auto sends the pseudo-header until a peer is heard, and then what the peer sends") {
  Bench bench({c4()});
  bench.hear("P4-50-1-plain");
  bench.wait(5s);
  CHECK(bench.sent.front().second.message == vector("P4-100-1-plain"));
  Bench alone({c4()});
  alone.wait(5s);
  CHECK(alone.sent.front().second.message == vector("P4-100-1-pseudo"));
}

TEST_CASE("5.2 an Active sends the golden vectors: both forms, and IPv6") {
  for (const auto mode : {ChecksumMode::rfc9568, ChecksumMode::pseudo_header}) {
    auto config = c4();
    config.checksum = mode;
    Bench bench({config});
    bench.wait(4s);
    REQUIRE_FALSE(bench.sent.empty());
    const auto& advert = bench.sent.front().second;
    CHECK(advert.message == vector(mode == ChecksumMode::rfc9568 ? "P4-100-1-plain" : "P4-100-1-pseudo"));
    CHECK(advert.source == ip("192.0.2.1"));
    CHECK(advert.destination == ip("224.0.0.18"));
  }
  Bench bench({c6()});
  bench.wait(4s);
  CHECK(bench.sent.front().second.message == vector("G5"));
  CHECK(bench.sent.front().second.source == ip("fe80::1"));
  CHECK(bench.sent.front().second.destination == ip("ff02::12"));
}

TEST_CASE("5.2.9 the addresses are sent in the order of the configuration, never reordered") {
  auto config = c6();
  std::swap(config.addresses[0], config.addresses[1]);
  Bench bench({config});
  bench.wait(4s);
  CHECK(bench.sent.front().second.message == vector("G6"));  // conf refuses such a list or names it
}

TEST_CASE("7.1 surplus bytes: accepted, counted") {
  auto bench = bench_in(StateName::backup);
  CHECK(bench.hear("A4-trail").empty());
  CHECK(bench.timer() == 3'609'375us);
  CHECK(bench.counters().trailing_bytes == 1);
}

TEST_CASE("5.2.7 another interval than ours is accepted and learnt, counted, and told once") {
  auto bench = bench_in(StateName::backup);
  CHECK(bench.hear("I4-50") == Lines{"note interval_mismatch"});
  CHECK(bench.timer() == 3 * 500ms + 304'687'500ns);
  CHECK(bench.hear("I4-50").empty());
  CHECK(bench.counters().interval_mismatches == 2);
}

TEST_CASE("7.1 another address list than ours is accepted, counted, and told once") {
  auto bench = bench_in(StateName::backup);
  CHECK(bench.hear("A4-other") == Lines{"note address_list_mismatch"});
  CHECK(bench.timer() == 3'609'375us);
  CHECK(bench.hear("A4-2vips").empty());
  CHECK(bench.counters().address_list_mismatches == 2);
}

TEST_CASE("7.1 the same addresses in another order are no mismatch") {
  auto config = c4();
  config.addresses = {prefix("192.0.2.101/24"), prefix("192.0.2.100/24")};
  Bench bench({config});
  CHECK(bench.hear("A4-2vips").empty());
  CHECK(bench.counters().address_list_mismatches == 0);
}

TEST_CASE(
    "5.2.9 IPv6: a first address that is not link-local while ours is, is accepted and counted (erratum "
    "8300)") {
  auto config = c6();
  config.priority = 90;
  Bench bench({config}, eth0("fe80::9/64"));
  bench.wait(1s);
  CHECK(bench.hear("G6", "fe80::1") == Lines{"note address_list_mismatch"});
  CHECK(bench.timer(Family::ipv6) == active_down_interval(90, 1s));
  CHECK(bench.counters(Family::ipv6).address_list_mismatches == 1);
}

TEST_CASE("7.1 what is told about differing peers is limited, however two of them take turns") {
  auto bench = bench_in(StateName::backup);
  int notes = 0;
  for (int i = 0; i < 1000; ++i) {
    bench.now += 1ms;
    const auto source = "192.0.2." + std::to_string(2 + i % 200);
    for (const auto& line : bench.hear({.priority = i % 2 ? 150 : 100,
                                        .source = source,
                                        .interval = Centiseconds{i % 2 ? 50 : 100},
                                        .addresses = {i % 2 ? "192.0.2.100" : "192.0.2.111"}}))
      notes += line.starts_with("note");
  }
  CHECK(notes <= 4);
  CHECK(bench.counters().interval_mismatches == 500);
  CHECK(bench.counters().address_list_mismatches == 500);
}

TEST_CASE("5.1.1 an owner whose primary address is the virtual address is heard by an Active that holds it") {
  auto bench = bench_in(StateName::active);
  REQUIRE(bench.holds("192.0.2.100"));
  bench.hear({.priority = 255, .source = "192.0.2.100"});
  CHECK(bench.state() == StateName::backup);
}

TEST_CASE("7.1 an owner that sends from the virtual address knows its own messages") {
  auto config = c4();
  config.priority = 255;
  Bench bench({config}, eth0("192.0.2.100/24"));
  CHECK(bench.hear({.priority = 255, .source = "192.0.2.100"}) == Lines{"discard own_packet"});
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("7.1 ten thousand invalid messages in a second: counters exact, the timer untouched") {
  auto bench = bench_in(StateName::backup);
  const auto fires = bench.now + bench.timer();
  const auto before = bench.counters().discarded[static_cast<std::size_t>(DecodeError::checksum)];
  for (int i = 0; i < 10'000; ++i) {
    bench.now += 100us;
    bench.hear("B4-badck");
  }
  CHECK(bench.counters().discarded[static_cast<std::size_t>(DecodeError::checksum)] == before + 10'000);
  CHECK(bench.now + bench.timer() == fires);
}

TEST_CASE("fuzz: every single-bit flip of valid frames is discarded, or valid under the rules; never more") {
  for (const auto state : all_states) {
    for (const auto* id : {"F4-ok", "F6-ok"}) {
      const auto packet = datagram(frame(vector(id)));
      const auto prepared = bench_in(state);
      (void)prepared;
      for (std::size_t bit = 0; bit < packet.payload.size() * 8; ++bit) {
        auto flipped = packet;
        flipped.payload[bit / 8] ^= static_cast<std::uint8_t>(1u << bit % 8);
        // One bit changes the sum of both forms: nothing but a discard is left.
        auto bench = bench_in(state);
        const auto before = bench.fingerprint();
        const auto counted = bench.counted();
        const auto lines = bench.step(flipped);
        if (lines.size() != 1 || !lines[0].starts_with("discard") || bench.fingerprint() != before ||
            bench.counted() != counted + 1)
          FAIL(id, " bit ", bit);
      }
    }
  }
}

TEST_CASE("fuzz: random bytes from anywhere change nothing") {
  std::mt19937 random(20240401);
  for (const auto state : all_states) {
    auto bench = bench_in(state);
    const auto before = bench.fingerprint();
    for (int i = 0; i < 300'000; ++i) {
      const bool four = random() % 2 == 0;
      DatagramReceived packet{"eth0",
                              ip(four ? "192.0.2.2" : "fe80::2"),
                              multicast_group(four ? Family::ipv4 : Family::ipv6),
                              255,
                              Bytes(random() % 64),
                              false};
      for (auto& byte : packet.payload) byte = static_cast<std::uint8_t>(random());
      if (i % 2 == 0 && packet.payload.size() > 3) {  // nearly right: version, type and VRID are
        packet.payload[0] = 0x31;
        packet.payload[1] = 51;
        packet.payload[3] = static_cast<std::uint8_t>((packet.payload.size() - 8) / (four ? 4 : 16));
      }
      if (const auto value = decode({packet.source, packet.destination, 255, packet.payload, false}))
        continue;
      const auto actions = bench.engine.step(bench.now, packet);
      if (actions.size() != 1 || !std::holds_alternative<AdvertisementDiscarded>(actions[0]))
        FAIL("round ", i);
    }
    CHECK(bench.fingerprint() == before);
  }
}
