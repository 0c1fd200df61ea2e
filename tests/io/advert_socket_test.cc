#include "io/advert_socket.h"

#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>

#include "tests/network.h"

using namespace vipd;
using namespace vipd::io;
using namespace vipd::test;

namespace {

using Bytes = std::vector<std::uint8_t>;

const auto address = [](const char* text) { return IpAddress::parse(text).value(); };

// An advertisement with the fields that the sockets look at: version and type, VRID, and zeros.
Bytes advert(std::uint8_t vrid, std::uint8_t version_and_type = 0x31, std::size_t size = 12) {
  Bytes bytes(size);
  bytes[0] = version_and_type;
  bytes[1] = vrid;
  return bytes;
}

struct Received {
  IpAddress source, destination;
  int hop_limit;
  Bytes payload;
  bool truncated;
};

std::vector<Received> receive_all(AdvertSocket& socket) {
  std::vector<Received> all;
  const auto count = socket.receive([&](const Datagram& each) {
    all.push_back({each.source,
                   each.destination,
                   each.hop_limit,
                   {each.payload.begin(), each.payload.end()},
                   each.truncated});
  });
  REQUIRE(count);
  CHECK(*count == all.size());
  return all;
}

std::vector<int> send_one(AdvertSocket& socket, const IpAddress& source, const Bytes& payload) {
  const Outgoing datagram{source, advert_group(source.family), payload};
  return socket.send({&datagram, 1});
}

const std::vector<int> sent{0};

AdvertSocket open_here(Family family, const std::string& interface) {
  auto socket = AdvertSocket::open(family, interface, if_nametoindex(interface.c_str()));
  REQUIRE_MESSAGE(socket, (socket ? "" : socket.error().message));
  return std::move(*socket);
}

// Two machines connected by a cable, each with two addresses of each family and a socket of one family.
struct Lan {
  Family family;
  Elsewhere peer{"vipd-peer"};
  Cable cable{peer, "left", "right"};
  IpAddress own = family == Family::ipv4 ? address("192.0.2.1") : address("fe80::1");
  IpAddress second = family == Family::ipv4 ? address("192.0.2.11") : address("fe80::11");
  IpAddress other = family == Family::ipv4 ? address("192.0.2.2") : address("fe80::2");
  AdvertSocket here;
  AdvertSocket there;

  explicit Lan(Family which)
      : family(which),
        here((add_addresses(), open_here(which, "left"))),
        there(peer.inside([&] { return open_here(which, "right"); })) {
    // The kernel may add its multicast routes a moment after the carrier.
    REQUIRE(eventually([&] { return send_one(here, own, advert(1)) == sent && readable(there.fd(), 10); }));
    REQUIRE(eventually([&] { return send_one(there, other, advert(1)) == sent && readable(here.fd(), 10); }));
    receive_all(here);
    receive_all(there);
  }

  void add_addresses() const {
    run("ip addr add 192.0.2.1/24 dev left; ip addr add 192.0.2.11/24 dev left; "
        "ip addr add fe80::1/64 dev left nodad; ip addr add fe80::11/64 dev left nodad");
    peer.run("ip addr add 192.0.2.2/24 dev right; ip addr add fe80::2/64 dev right nodad");
  }
};

// Captures whole Ethernet frames at the other end of the cable.
Fd tap(const Lan& lan, std::uint16_t ethertype) {
  return lan.peer.inside([&] {
    Fd fd(socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, htons(ethertype)));
    sockaddr_ll where{};
    where.sll_family = AF_PACKET;
    where.sll_protocol = htons(ethertype);
    where.sll_ifindex = static_cast<int>(if_nametoindex("right"));
    REQUIRE(bind(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) == 0);
    return fd;
  });
}

// The next frame of IP protocol 112, a number found at `place`. (The kernel also sends IGMP and MLD.)
Bytes next_advert(const Fd& fd, std::size_t place) {
  while (true) {
    REQUIRE(readable(fd.get()));
    Bytes frame(2000);
    const auto size = recv(fd.get(), frame.data(), frame.size(), 0);
    REQUIRE(size > 0);
    frame.resize(static_cast<std::size_t>(size));
    if (frame.at(place) == 112) return frame;
  }
}

Bytes part(const Bytes& bytes, std::size_t offset, std::size_t size) {
  REQUIRE(bytes.size() >= offset + size);
  const auto begin = bytes.begin() + static_cast<std::ptrdiff_t>(offset);
  return {begin, begin + static_cast<std::ptrdiff_t>(size)};
}

Bytes octets(const IpAddress& ip) {
  return {ip.bytes().begin(), ip.bytes().end()};
}

}  // namespace

TEST_CASE("an IPv4 advertisement leaves with TTL 255, CS6 and the source it was given") {
  Lan lan(Family::ipv4);
  const auto wire = tap(lan, ETH_P_IP);
  CHECK(send_one(lan.here, lan.second, advert(7)) == sent);
  const auto frame = next_advert(wire, 23);
  CHECK(part(frame, 0, 6) == Bytes{0x01, 0x00, 0x5e, 0x00, 0x00, 0x12});
  CHECK(frame[14] == 0x45);
  CHECK(frame[15] == 0xc0);
  CHECK(frame[22] == 255);
  CHECK(part(frame, 26, 4) == octets(lan.second));
  CHECK(part(frame, 30, 4) == octets(address("224.0.0.18")));
  CHECK(part(frame, 34, 12) == advert(7));
}

TEST_CASE("an IPv6 advertisement leaves with hop limit 255, CS6 and the source it was given") {
  Lan lan(Family::ipv6);
  const auto wire = tap(lan, ETH_P_IPV6);
  CHECK(send_one(lan.here, lan.second, advert(7)) == sent);
  const auto frame = next_advert(wire, 20);
  CHECK(part(frame, 0, 6) == Bytes{0x33, 0x33, 0x00, 0x00, 0x00, 0x12});
  CHECK(frame[14] == 0x6c);
  CHECK((frame[15] & 0xf0) == 0x00);
  CHECK(frame[21] == 255);
  CHECK(part(frame, 22, 16) == octets(lan.second));
  CHECK(part(frame, 38, 16) == octets(address("ff02::12")));
  CHECK(part(frame, 54, 12) == advert(7));
}

TEST_CASE("a sender uses one descriptor for all interfaces, sends the same packets and receives nothing") {
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    CAPTURE(to_string(family));
    Lan lan(family);
    auto sender = AdvertSender::open(family);
    REQUIRE(sender);
    const auto payload = advert(7);
    const Outgoing datagram{lan.second, advert_group(family), payload};
    CHECK(sender->send(if_nametoindex("left"), {&datagram, 1}) == sent);
    REQUIRE(readable(lan.there.fd()));
    const auto received = receive_all(lan.there);
    REQUIRE(received.size() == 1);
    CHECK(received[0].source == lan.second);
    CHECK(received[0].destination == advert_group(family));
    CHECK(received[0].hop_limit == 255);
    CHECK(received[0].payload == payload);
    CHECK(sender->send(9999, {&datagram, 1}).at(0) != 0);
  }
}

TEST_CASE("an advertisement arrives with its addresses and its hop limit, only at the other end") {
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    CAPTURE(to_string(family));
    Lan lan(family);
    CHECK(send_one(lan.there, lan.other, advert(9)) == sent);
    REQUIRE(readable(lan.here.fd()));
    const auto received = receive_all(lan.here);
    REQUIRE(received.size() == 1);
    CHECK(received[0].source == lan.other);
    CHECK(received[0].destination == advert_group(family));
    CHECK(received[0].hop_limit == 255);
    CHECK(received[0].payload == advert(9));
    CHECK_FALSE(received[0].truncated);
    CHECK_FALSE(readable(lan.there.fd(), 20));  // a sender does not receive its own packets
  }
}

TEST_CASE("a packet with a wrong hop limit is delivered") {
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    CAPTURE(to_string(family));
    Lan lan(family);
    const int hops = 254;
    if (family == Family::ipv4)
      setsockopt(lan.there.fd(), IPPROTO_IP, IP_MULTICAST_TTL, &hops, sizeof hops);
    else
      setsockopt(lan.there.fd(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &hops, sizeof hops);
    CHECK(send_one(lan.there, lan.other, advert(9)) == sent);
    REQUIRE(readable(lan.here.fd()));
    CHECK(receive_all(lan.here).at(0).hop_limit == 254);
  }
}

TEST_CASE("the kernel drops advertisements of other VRIDs, but delivers malformed packets for counting") {
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    CAPTURE(to_string(family));
    Lan lan(family);
    const Bytes vrids{1, 31, 32, 33, 64, 200, 255};
    REQUIRE(lan.here.set_vrids(vrids));

    for (int vrid = 0; vrid < 256; ++vrid)
      send_one(lan.there, lan.other, advert(static_cast<std::uint8_t>(vrid)));
    send_one(lan.there, lan.other, advert(200, 0x21));    // version 2
    send_one(lan.there, lan.other, advert(201, 0x21));    // version 2 of another VRID
    send_one(lan.there, lan.other, advert(99, 0x32));     // type 2
    send_one(lan.there, lan.other, advert(99, 0x41));     // version 4
    send_one(lan.there, lan.other, advert(99, 0x31, 7));  // too short for a header
    send_one(lan.there, lan.other, advert(99, 0x31, 8));  // just long enough
    send_one(lan.there, lan.other, Bytes{0x31});
    send_one(lan.there, lan.other, advert(255, 0x31, 100));

    std::vector<Bytes> expected;
    for (const auto vrid : vrids) expected.push_back(advert(vrid));
    expected.insert(expected.end(), {advert(200, 0x21), advert(99, 0x32), advert(99, 0x41),
                                     advert(99, 0x31, 7), Bytes{0x31}, advert(255, 0x31, 100)});
    REQUIRE(readable(lan.here.fd()));
    std::vector<Bytes> received;
    for (const auto& each : receive_all(lan.here)) received.push_back(each.payload);
    CHECK(received == expected);
  }
}

TEST_CASE("a shield passes relevant packets, and few malformed ones or ones of low priority") {
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    CAPTURE(to_string(family));
    Lan lan(family);
    const std::size_t address_size = family == Family::ipv4 ? 4 : 16;
    REQUIRE(lan.here.set_vrids(Bytes{7}));
    REQUIRE(lan.here.set_shield(Shield{200, {}}));
    const auto with = [&](std::size_t place, std::uint8_t value) {
      Bytes bytes(8 + 2 * address_size);
      bytes[0] = 0x31;
      bytes[1] = 7;
      bytes[2] = 200;  // priority
      bytes[3] = 2;    // addresses
      bytes[5] = 100;  // interval
      bytes[place] = value;
      return bytes;
    };
    const auto pass = [&](const Bytes& bytes, int times) {
      std::size_t count = 0;
      for (int sent_so_far = 0; sent_so_far < times; sent_so_far += 64) {
        const std::vector<Outgoing> some(64, {lan.other, advert_group(family), bytes});
        lan.there.send(some);
        count += receive_all(lan.here).size();
      }
      return count;
    };
    CHECK(pass(with(2, 200), 64) == 64);
    CHECK(pass(with(2, 255), 64) == 64);
    CHECK(pass(with(3, 1), 64) == 64);  // with bytes after the last address
    CHECK(pass(with(1, 8), 640) == 0);  // of another VRID: dropped by the VRID filter
    const auto is_sampled = [&](const Bytes& bytes) {
      CHECK(pass(bytes, 1280) < 20);  // one of 1024
    };
    CHECK(pass(with(2, 199), 20'480) > 0);
    is_sampled(with(2, 199));
    is_sampled(with(2, 0));
    is_sampled(with(0, 0x21));
    is_sampled(with(0, 0x32));
    is_sampled(with(3, 0));
    is_sampled(with(3, 3));  // longer than it is
    is_sampled(with(5, 0));  // no interval
    const int hops = 254;
    const auto set_hops = [&](int value) {
      if (family == Family::ipv4)
        setsockopt(lan.there.fd(), IPPROTO_IP, IP_MULTICAST_TTL, &value, sizeof value);
      else
        setsockopt(lan.there.fd(), IPPROTO_IPV6, IPV6_MULTICAST_HOPS, &value, sizeof value);
    };
    set_hops(hops);
    is_sampled(with(2, 200));
    set_hops(255);
    // All packets from the known Active matter, especially its farewell and its lower priority; those of
    // other senders do not.
    for (const auto place : {0, 7}) {
      std::vector<IpAddress> known(8, address(family == Family::ipv4 ? "192.0.2.99" : "fe80::99"));
      known[static_cast<std::size_t>(place)] = lan.other;
      REQUIRE(lan.here.set_shield(Shield{200, known}));
      CHECK(pass(with(2, 0), 64) == 64);
      CHECK(pass(with(2, 199), 64) == 64);
      CHECK(pass(with(2, 200), 64) == 64);
      is_sampled(with(0, 0x21));
      known[static_cast<std::size_t>(place)] = known[3];
      REQUIRE(lan.here.set_shield(Shield{200, known}));
      is_sampled(with(2, 0));
    }
    REQUIRE(lan.here.set_shield(std::nullopt));
    CHECK(pass(with(2, 1), 64) == 64);
    CHECK(pass(with(1, 8), 64) == 0);
  }
}

TEST_CASE("all VRIDs fit into the filter, and without VRIDs only malformed packets pass") {
  Lan lan(Family::ipv4);
  Bytes all;
  for (int vrid = 1; vrid < 256; ++vrid) all.push_back(static_cast<std::uint8_t>(vrid));
  REQUIRE(lan.here.set_vrids(all));
  for (const auto vrid : all) send_one(lan.there, lan.other, advert(vrid));
  CHECK(receive_all(lan.here).size() == 255);
  REQUIRE(lan.here.set_vrids({}));
  for (const auto vrid : all) send_one(lan.there, lan.other, advert(vrid));
  send_one(lan.there, lan.other, Bytes{0x31, 1});
  CHECK(receive_all(lan.here).size() == 1);
}

TEST_CASE("IPv4 options are skipped, by the filter too") {
  Lan lan(Family::ipv4);
  REQUIRE(lan.here.set_vrids(Bytes{5}));
  const Bytes router_alert{0x94, 4, 0, 0, 1, 1, 1, 0};
  REQUIRE(setsockopt(lan.there.fd(), IPPROTO_IP, IP_OPTIONS, router_alert.data(), 8) == 0);
  send_one(lan.there, lan.other, advert(4));
  send_one(lan.there, lan.other, advert(5));
  send_one(lan.there, lan.other,
           Bytes{0x31, 4, 0, 0, 0, 0, 0});  // with the options it would look long enough
  REQUIRE(readable(lan.here.fd()));
  const auto received = receive_all(lan.here);
  REQUIRE(received.size() == 2);
  CHECK(received[0].payload == advert(5));
  CHECK(received[1].payload.size() == 7);
}

TEST_CASE("a datagram longer than any advertisement arrives truncated and marked") {
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    CAPTURE(to_string(family));
    Lan lan(family);
    const Bytes longest = advert(1, 0x31, 8 + 255 * 16);
    const Bytes too_long = advert(1, 0x31, 9000);
    send_one(lan.there, lan.other, longest);
    send_one(lan.there, lan.other, too_long);
    std::vector<Received> received;
    REQUIRE(eventually([&] {
      for (auto& each : receive_all(lan.here)) received.push_back(std::move(each));
      return received.size() == 2;
    }));
    CHECK(received[0].payload == longest);
    CHECK_FALSE(received[0].truncated);
    CHECK(received[1].payload.size() < 9000);
    CHECK(received[1].truncated);
  }
}

TEST_CASE("a flood is received in batches") {
  Lan lan(Family::ipv4);
  const auto payload = advert(1);
  const std::vector<Outgoing> many(1500, {lan.other, advert_group(Family::ipv4), payload});
  CHECK(text(lan.there.send(many)) == text(std::vector<int>(1500, 0)));
  CHECK(receive_all(lan.here).size() == 1024);
  CHECK(receive_all(lan.here).size() == 476);
  CHECK(receive_all(lan.here).empty());
}

TEST_CASE("a datagram that cannot be sent has an error and does not block the others") {
  Lan lan(Family::ipv4);
  const auto payload = advert(1);
  const auto group = advert_group(Family::ipv4);
  const std::vector<Outgoing> datagrams{
      {lan.own, group, payload},
      {address("192.0.2.99"), group, payload},  // not an address of this host
      {lan.second, group, payload},
      {lan.own, address("192.0.2.2"), payload}};  // unicast
  auto codes = lan.here.send(datagrams);
  CHECK((codes[1] == EINVAL || codes[1] == ENETUNREACH));  // kernels differ
  codes[1] = 0;
  CHECK(text(codes) == "0 0 0 0");
  REQUIRE(eventually([&] { return readable(lan.there.fd()); }));
  std::vector<Received> received;
  REQUIRE(eventually([&] {
    for (auto& each : receive_all(lan.there)) received.push_back(std::move(each));
    return received.size() == 3;
  }));
  CHECK(received[2].destination == address("192.0.2.2"));
  CHECK(received[2].hop_limit == 255);
}

TEST_CASE("a socket receives only from the interface that it is bound to") {
  Lan lan(Family::ipv4);
  Cable second(lan.peer, "left2", "right2");
  lan.peer.run("ip addr add 198.51.100.2/24 dev right2");
  auto sender = lan.peer.inside([] { return open_here(Family::ipv4, "right2"); });
  auto here2 = open_here(Family::ipv4, "left2");
  CHECK(send_one(sender, address("198.51.100.2"), advert(3)) == sent);
  CHECK(readable(here2.fd()));
  CHECK_FALSE(readable(lan.here.fd(), 20));
}

TEST_CASE("a deleted interface causes errors, and a new socket on the new interface works") {
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    CAPTURE(to_string(family));
    Lan lan(family);
    run("ip link del left");
    CHECK(send_one(lan.here, lan.own, advert(1)) != sent);
    CHECK(receive_all(lan.here).empty());
    Cable again(lan.peer, "left", "right");
    lan.add_addresses();
    CHECK(send_one(lan.here, lan.own, advert(1)) != sent);  // still bound to the deleted interface
    auto here = open_here(family, "left");
    auto there = lan.peer.inside([&] { return open_here(family, "right"); });
    CHECK(eventually([&] { return send_one(here, lan.own, advert(1)) == sent && readable(there.fd(), 10); }));
  }
}

TEST_CASE("renaming the interface does not affect the socket") {
  Lan lan(Family::ipv6);
  run("ip link set left name port");
  CHECK(send_one(lan.here, lan.own, advert(1)) == sent);
  CHECK(readable(lan.there.fd()));
  CHECK(send_one(lan.there, lan.other, advert(1)) == sent);
  CHECK(readable(lan.here.fd()));
  run("ip link set port name left");
}

TEST_CASE("a tentative link-local address cannot be a source until it is no longer tentative") {
  Lan lan(Family::ipv6);
  run("ip addr add fe80::77/64 dev left");
  CHECK(send_one(lan.here, address("fe80::77"), advert(1)) != sent);
  CHECK(eventually([&] { return send_one(lan.here, address("fe80::77"), advert(1)) == sent; },
                   std::chrono::seconds(30)));
}

TEST_CASE("the error about an interface that does not exist names it") {
  require_own_namespace();
  const auto socket = AdvertSocket::open(Family::ipv4, "nowhere0", 987654);
  REQUIRE_FALSE(socket);
  CHECK(socket.error().message ==
        "opening the IPv4 advertisement socket on nowhere0: joining 224.0.0.18: No such device");
  CHECK(socket.error().code == ENODEV);
}
