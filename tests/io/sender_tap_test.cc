#include "io/sender_tap.h"

#include <net/if.h>
#include <netinet/in.h>

#include "io/advert_socket.h"
#include "tests/network.h"

using namespace vipd;
using namespace vipd::io;
using namespace vipd::test;

namespace {
const auto address = [](const char* text) { return IpAddress::parse(text).value(); };

SenderTap tap_of(const char* sender) {
  auto tap = SenderTap::open(address(sender), if_nametoindex("left"));
  REQUIRE_MESSAGE(tap, (tap ? "" : tap.error().message));
  return std::move(*tap);
}
}  // namespace

TEST_CASE("the tap finds the MAC address of a sender of VRRP, and receives no packets of others") {
  Elsewhere peer("vipd-peer");
  Cable cable(peer, "left", "right");
  run("ip addr add 192.0.2.1/24 dev left; ip addr add fe80::1/64 dev left nodad");
  peer.run(
      "ip link set right down; ip link set right address 02:00:00:00:00:66; ip link set right up;"
      "ip addr add 192.0.2.2/24 dev right; ip addr add 192.0.2.3/24 dev right;"
      "ip addr add fe80::2/64 dev right nodad; ip addr add fe80::3/64 dev right nodad");
  struct Case {
    Family family;
    const char* wanted;
    const char* other;
  };
  for (const auto& [family, wanted, other] :
       {Case{Family::ipv4, "192.0.2.2", "192.0.2.3"}, Case{Family::ipv6, "fe80::2", "fe80::3"}}) {
    CAPTURE(wanted);
    auto tap = tap_of(wanted);
    auto socket = peer.inside(
        [which = family] { return AdvertSocket::open(which, "right", if_nametoindex("right")).value(); });
    const std::vector<std::uint8_t> payload(12);
    const auto send = [&](const char* source) {
      const auto from = address(source);
      const Outgoing datagram{from, advert_group(from.family), payload};
      return socket.send({&datagram, 1}) == std::vector<int>{0};
    };
    REQUIRE(eventually([&] { return send(other); }));
    CHECK_FALSE(readable(tap.fd(), 30));
    CHECK_FALSE(tap.receive());
    REQUIRE(send(wanted));
    REQUIRE(readable(tap.fd()));
    CHECK(tap.receive() == MacAddress::parse("02:00:00:00:00:66").value());
  }
}

TEST_CASE("a tap on an interface that does not exist is an error") {
  require_own_namespace();
  const auto tap = SenderTap::open(address("192.0.2.2"), 987654);
  REQUIRE_FALSE(tap);
  CHECK(tap.error().message == "listening to the packets of 192.0.2.2: No such device");
}
