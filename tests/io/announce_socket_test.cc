#include "io/announce_socket.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/in.h>

#include <vector>

#include "tests/network.h"

using namespace vipd;
using namespace vipd::io;
using namespace vipd::test;

namespace {

using Bytes = std::vector<std::uint8_t>;

// A broadcast with an experimental ethertype and a number.
Bytes frame(std::uint8_t number) {
  Bytes bytes{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0, 0, 0, 0, 1, 0x88, 0xb5};
  bytes.resize(60, number);
  return bytes;
}

}  // namespace

TEST_CASE("frames are sent unchanged, and one that fails does not block the others") {
  Elsewhere peer("vipd-peer");
  Cable cable(peer, "left", "right");
  const auto index = if_nametoindex("left");
  Fd tap = peer.inside(
      [] { return Fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, htons(0x88b5))); });
  auto socket = AnnounceSocket::open();
  REQUIRE(socket);

  const Bytes first = frame(1);
  const Bytes second = frame(2);
  const Bytes stub{0xff, 0xff};
  const std::vector<Frame> frames{{index, first}, {987654, first}, {index, stub}, {index, second}};
  CHECK(text(socket->send(frames)) == text({0, ENXIO, EINVAL, 0}));

  for (const auto& expected : {first, second}) {
    REQUIRE(readable(tap.get()));
    Bytes got(200);
    const auto size = recv(tap.get(), got.data(), got.size(), 0);
    REQUIRE(size > 0);
    got.resize(static_cast<std::size_t>(size));
    CHECK(got == expected);
  }
}

TEST_CASE("one call sends thousands of announcements, and the socket receives none of them") {
  Elsewhere peer("vipd-peer");
  Cable cable(peer, "left", "right");
  const Bytes bytes = frame(1);
  auto socket = AnnounceSocket::open();
  REQUIRE(socket);
  const std::vector<Frame> frames(5000, Frame{if_nametoindex("left"), bytes});
  CHECK(socket->send(frames) == std::vector<int>(5000, 0));
  CHECK_FALSE(readable(socket->fd(), 10));
}

TEST_CASE("sending on an interface that is down is an error") {
  Elsewhere peer("vipd-peer");
  Cable cable(peer, "left", "right");
  run("ip link set left down");
  const Bytes bytes = frame(1);
  auto socket = AnnounceSocket::open();
  REQUIRE(socket);
  const Frame one{if_nametoindex("left"), bytes};
  CHECK(text(socket->send({&one, 1})) == text({ENETDOWN}));
}
