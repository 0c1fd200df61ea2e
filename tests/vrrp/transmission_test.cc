// What an advertisement of ours contains, and where it goes.
#include "vrrp/transmission.h"

#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

TEST_CASE("an advertisement goes to the multicast group of its family, from the primary address") {
  for (const auto& [source, group] :
       {std::pair{ip("192.0.2.1"), ip("224.0.0.18")}, std::pair{ip("fe80::1"), ip("ff02::12")}}) {
    Advertisement advertisement{.vrid = 7, .priority = 100, .interval = Centiseconds{100}};
    advertisement.addresses = {source.family == Family::ipv4 ? ip("192.0.2.10") : ip("fe80::10")};
    const auto sent = transmissions(advertisement, source);
    REQUIRE(sent.size() == 1);
    CHECK(sent[0].source == source);
    CHECK(sent[0].destination == group);
    const auto received = decode({source, group, 255, sent[0].message});
    REQUIRE(received);
    CHECK(*received == advertisement);
  }
}

TEST_CASE("a virtual router advertises its interval and all of its addresses, in the configured order") {
  auto config = c4();
  config.advertisement_interval = Centiseconds{25};
  config.addresses = {Prefix{ip("192.0.2.12"), 24}, Prefix{ip("192.0.2.10"), 32}};
  const auto advertisement = advertisement_of(config, 90, ChecksumForm::rfc9568);
  CHECK(advertisement.vrid == config.key.vrid);
  CHECK(advertisement.priority == 90);
  CHECK(advertisement.interval == Centiseconds{25});
  CHECK(advertisement.addresses == std::vector{ip("192.0.2.12"), ip("192.0.2.10")});
  CHECK(advertisement.checksum == ChecksumForm::rfc9568);
}

TEST_CASE("what the guardian sends in the router's place is, byte for byte, what the router sends") {
  Bench bench({c4()});
  bench.wait(bench.timer());
  REQUIRE(bench.state() == StateName::active);
  REQUIRE(bench.sent.size() == 1);
  const auto& sent = bench.sent[0].second;
  const auto status = bench.status();
  const auto held = transmissions(advertisement_of(status.config, status.priority, status.checksum),
                                  *status.primary_address);
  REQUIRE(held.size() == 1);
  CHECK(held[0] == Transmission{sent.source, sent.destination, sent.message});
}
