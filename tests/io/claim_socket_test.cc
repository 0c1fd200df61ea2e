#include "io/claim_socket.h"

#include <net/if.h>

#include "io/announce_socket.h"
#include "tests/network.h"
#include "vrrp/arp.h"
#include "vrrp/ndisc.h"

using namespace vipd;
using namespace vipd::io;
using namespace vipd::test;

namespace {
const auto address = [](const char* text) { return IpAddress::parse(text).value(); };
const auto mac = [](const char* text) { return MacAddress::parse(text).value(); };
const MacAddress rogue = MacAddress{{0x02, 0, 0, 0, 0, 0x66}};

using Claims = std::vector<std::pair<IpAddress, MacAddress>>;

Claims claims(ClaimSocket& socket) {
  Claims all;
  socket.receive([&](const IpAddress& which, const MacAddress& by) { all.emplace_back(which, by); });
  return all;
}

// Two machines connected by a cable: sockets listen here, frames come from the other end.
struct Lan {
  Elsewhere peer{"vipd-peer"};
  Cable cable{peer, "left", "right"};
  ClaimSocket four = open_here(Family::ipv4);
  ClaimSocket six = open_here(Family::ipv6);
  AnnounceSocket there = peer.inside([] { return AnnounceSocket::open().value(); });
  std::uint32_t right = peer.inside([] { return if_nametoindex("right"); });

  static ClaimSocket open_here(Family family) {
    auto socket = ClaimSocket::open(family, "left", if_nametoindex("left"));
    REQUIRE_MESSAGE(socket, (socket ? "" : socket.error().message));
    return std::move(*socket);
  }
  void send(const std::vector<std::uint8_t>& frame) {
    const Frame one{right, frame};
    REQUIRE(there.send({&one, 1}) == std::vector<int>{0});
  }
};
}  // namespace

TEST_CASE(
    "another station's ARP and Neighbor Advertisements for our addresses are heard, with its MAC address") {
  Lan lan;
  REQUIRE(lan.four.set_addresses({address("192.0.2.10"), address("192.0.2.200"), address("2001:db8::10")}));
  REQUIRE(lan.six.set_addresses({address("2001:db8::10"), address("192.0.2.10")}));
  lan.send(vrrp::gratuitous_arp(rogue, address("192.0.2.10")));
  lan.send(vrrp::gratuitous_arp(rogue, address("192.0.2.200")));
  lan.send(vrrp::unsolicited_neighbor_advertisement(rogue, address("fe80::66"), address("2001:db8::10")));
  REQUIRE(readable(lan.four.fd()));
  REQUIRE(readable(lan.six.fd()));
  CHECK(claims(lan.four) == Claims{{address("192.0.2.10"), rogue}, {address("192.0.2.200"), rogue}});
  CHECK(claims(lan.six) == Claims{{address("2001:db8::10"), rogue}});
}

TEST_CASE("claims of other addresses, requests for ours and malformed packets are ignored") {
  Lan lan;
  REQUIRE(lan.four.set_addresses({address("192.0.2.10")}));
  REQUIRE(lan.six.set_addresses({address("2001:db8::10")}));
  lan.send(vrrp::gratuitous_arp(rogue, address("192.0.2.11")));     // dropped by the kernel
  lan.send(vrrp::gratuitous_arp(rogue, address("198.51.100.10")));  // has the same last byte
  lan.send(vrrp::arp_probe(rogue, address("192.0.2.10")));
  auto reversed = vrrp::gratuitous_arp(rogue, address("192.0.2.10"));
  reversed[14 + 4] = 8;  // longer hardware addresses
  lan.send(reversed);
  auto cut = vrrp::gratuitous_arp(rogue, address("192.0.2.10"));
  cut.resize(14 + 17);
  lan.send(cut);
  lan.send(vrrp::unsolicited_neighbor_advertisement(rogue, address("fe80::66"), address("2001:db8::11")));
  lan.send(vrrp::unsolicited_neighbor_advertisement(rogue, address("fe80::66"), address("2001:db8:1::10")));
  lan.send(vrrp::duplicate_address_probe(rogue, address("2001:db8::10")));
  auto routed = vrrp::unsolicited_neighbor_advertisement(rogue, address("fe80::66"), address("2001:db8::10"));
  routed[21] = 254;  // hop limit
  lan.send(routed);
  readable(lan.four.fd(), 50);
  readable(lan.six.fd(), 50);
  CHECK(claims(lan.four).empty());
  CHECK(claims(lan.six).empty());
}

TEST_CASE("the list of addresses can change, and without one no claim is received") {
  Lan lan;
  lan.send(vrrp::gratuitous_arp(rogue, address("192.0.2.10")));
  lan.send(vrrp::unsolicited_neighbor_advertisement(rogue, address("fe80::66"), address("2001:db8::10")));
  CHECK_FALSE(readable(lan.four.fd(), 30));
  CHECK_FALSE(readable(lan.six.fd(), 30));
  REQUIRE(lan.four.set_addresses({address("192.0.2.11")}));
  REQUIRE(lan.four.set_addresses({address("192.0.2.10")}));
  lan.send(vrrp::gratuitous_arp(rogue, address("192.0.2.11")));
  lan.send(vrrp::gratuitous_arp(rogue, address("192.0.2.10")));
  REQUIRE(readable(lan.four.fd()));
  CHECK(claims(lan.four) == Claims{{address("192.0.2.10"), rogue}});
}

TEST_CASE("only the station that has an address answers a request for it, in both families") {
  Lan lan;
  lan.peer.run(
      "ip link set right down; ip link set right address 02:00:00:00:00:66; ip link set right up;"
      "ip addr add 192.0.2.10/24 dev right; ip addr add 2001:db8::10/64 dev right nodad;"
      "ip addr add fe80::66/64 dev right nodad");
  REQUIRE(lan.four.set_addresses({address("192.0.2.10"), address("192.0.2.11")}));
  REQUIRE(lan.six.set_addresses({address("2001:db8::10"), address("2001:db8::11")}));
  const auto index = if_nametoindex("left");
  run("ip addr add fe80::1/64 dev left nodad");  // IPv6 is up, and the host has joined the all-nodes group
  auto here = AnnounceSocket::open().value();
  const auto ours = mac("02:00:00:00:00:01");
  const std::vector questions{vrrp::arp_probe(ours, address("192.0.2.11")),
                              vrrp::arp_probe(ours, address("192.0.2.10")),
                              vrrp::duplicate_address_probe(ours, address("2001:db8::11")),
                              vrrp::duplicate_address_probe(ours, address("2001:db8::10"))};
  Claims four;
  Claims six;
  REQUIRE(eventually([&] {
    for (const auto& question : questions) {
      const Frame one{index, question};
      here.send({&one, 1});
    }
    readable(lan.six.fd(), 20);
    for (const auto& each : claims(lan.four)) four.push_back(each);
    for (const auto& each : claims(lan.six)) six.push_back(each);
    return !four.empty() && !six.empty();
  }));
  for (const auto& each : four) CHECK(each == std::pair{address("192.0.2.10"), rogue});
  for (const auto& each : six) CHECK(each == std::pair{address("2001:db8::10"), rogue});
}

TEST_CASE("a flood of claims is received in batches") {
  Lan lan;
  REQUIRE(lan.four.set_addresses({address("192.0.2.10")}));
  for (int i = 0; i < 200; ++i) lan.send(vrrp::gratuitous_arp(rogue, address("192.0.2.10")));
  CHECK(claims(lan.four).size() <= 64);
}
