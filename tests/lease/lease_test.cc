#include "netlink/lease.h"

#include <arpa/inet.h>
#include <bpf/bpf.h>
#include <linux/bpf.h>
#include <linux/if_packet.h>
#include <linux/pkt_cls.h>
#include <net/if.h>

#include "tests/network.h"

using namespace vipd;
using namespace vipd::netlink;
using namespace vipd::test;
using namespace std::chrono_literals;

namespace {

using Packet = std::vector<std::uint8_t>;

const std::string virtual4 = "192.0.2.10";
const std::string virtual6 = "2001:db8::10";
constexpr std::uint32_t slot = 7;
// A classifier that matches nothing.
const std::string somebody_elses = "protocol all bpf bytecode '1,6 0 0 0' flowid 1:1";

TimePoint now() {
  return TimePoint{io::boottime()};
}

Packet operator+(Packet left, const Packet& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

IpAddress ip(const std::string& text) {
  return IpAddress::parse(text).value();
}

Packet octets(const std::string& address) {
  const auto parsed = ip(address);
  return {parsed.bytes().begin(), parsed.bytes().end()};
}

Packet ethernet(std::uint16_t type) {
  return Packet{2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2} +
         Packet{static_cast<std::uint8_t>(type >> 8), static_cast<std::uint8_t>(type)};
}

Packet arp(const std::string& sender, const std::string& target, std::uint8_t operation = 1) {
  return ethernet(0x0806) + Packet{0, 1, 8, 0, 6, 4, 0, operation, 2, 0, 0, 0, 0, 2} + octets(sender) +
         Packet(6, 0) + octets(target);
}

Packet ipv4(const std::string& source, const std::string& destination) {
  return ethernet(0x0800) + Packet{0x45, 0, 0, 28, 0, 0, 0, 0, 64, 17, 0, 0} + octets(source) +
         octets(destination) + Packet(8, 0);
}

Packet ipv6(const std::string& source, const std::string& destination, std::uint8_t next,
            const Packet& payload) {
  return ethernet(0x86dd) + Packet{0x60, 0, 0, 0, 0, static_cast<std::uint8_t>(payload.size()), next, 255} +
         octets(source) + octets(destination) + payload;
}

Packet udp6(const std::string& source, const std::string& destination) {
  return ipv6(source, destination, 17, Packet(8, 0));
}

Packet neighbour(std::uint8_t type, const std::string& source, const std::string& destination,
                 const std::string& target) {
  return ipv6(source, destination, 58, Packet{type, 0, 0, 0, 0, 0, 0, 0} + octets(target));
}

Packet solicitation(const std::string& destination, const std::string& target) {
  return neighbour(135, "2001:db8::1", destination, target);
}

// The first `size` octets.
Packet cut(Packet packet, std::size_t size) {
  packet.resize(size);
  return packet;
}

// An interface with a lease for two addresses, in one slot. Nothing is attached.
struct Guarded {
  Port port{"port7"};
  std::uint32_t index = if_nametoindex("port7");
  std::unique_ptr<Lease> lease = std::move(open_lease().value());

  Guarded() {
    REQUIRE(lease->guard({index, ip(virtual4)}, slot));
    REQUIRE(lease->guard({index, ip(virtual6)}, slot));
    lease->slots().clear(slot);
  }

  void run_out() const { lease->slots().set(slot, now() - 1ms); }

  // What the kernel's program says of a packet.
  bool passes(const Packet& packet, Hook hook = Hook::ingress) const {
    return verdict(packet, hook, index) != TC_ACT_SHOT;
  }
  int verdict(const Packet& packet, Hook hook, std::uint32_t interface_index) const {
    __sk_buff context{};
    context.ifindex = interface_index;
    bpf_test_run_opts options{};
    options.sz = sizeof options;
    options.data_in = packet.data();
    options.data_size_in = static_cast<std::uint32_t>(packet.size());
    options.ctx_in = &context;
    options.ctx_size_in = sizeof context;
    REQUIRE(bpf_prog_test_run_opts(lease->program(hook), &options) == 0);
    return static_cast<int>(options.retval);
  }
};

// All that is for the virtual addresses, as it comes in.
const std::vector<std::pair<std::string, Packet>> for_us{
    {"an ARP request", arp("192.0.2.1", virtual4)},
    {"an ARP reply", arp("192.0.2.1", virtual4, 2)},
    {"a gratuitous ARP", arp(virtual4, virtual4)},
    {"an ARP probe", arp("0.0.0.0", virtual4)},
    {"IPv4", ipv4("192.0.2.1", virtual4)},
    {"the bare header of IPv4", cut(ipv4("192.0.2.1", virtual4), 34)},
    {"IPv6", udp6("2001:db8::1", virtual6)},
    {"the bare header of IPv6", cut(udp6("2001:db8::1", virtual6), 54)},
    {"a solicitation to the solicited-node group", solicitation("ff02::1:ff00:10", virtual6)},
    {"a solicitation to the address", solicitation(virtual6, virtual6)},
    {"a solicitation to another address of this host", solicitation("2001:db8::5", virtual6)},
};

// ... and as it goes out.
const std::vector<std::pair<std::string, Packet>> from_us{
    {"an ARP request", arp(virtual4, "192.0.2.1")},
    {"an ARP reply", arp(virtual4, "192.0.2.1", 2)},
    {"a gratuitous ARP", arp(virtual4, virtual4)},
    {"IPv4", ipv4(virtual4, "192.0.2.1")},
    {"IPv6", udp6(virtual6, "2001:db8::1")},
    {"a solicitation", neighbour(135, virtual6, "ff02::1:ff00:1", "2001:db8::1")},
    {"an advertisement from the address", neighbour(136, virtual6, "2001:db8::1", virtual6)},
    {"an advertisement from another address", neighbour(136, "fe80::1", "ff02::1", virtual6)},
};

// What the lease has nothing to do with.
const std::vector<std::pair<std::string, Packet>> not_ours{
    {"ARP for another address", arp("192.0.2.1", "192.0.2.11")},
    {"ARP between others", arp("192.0.2.1", "192.0.2.2", 2)},
    {"IPv4 between others", ipv4("192.0.2.1", "192.0.2.2")},
    {"a VRRP advertisement", ipv4("192.0.2.1", "224.0.0.18")},
    {"IPv6 between others", udp6("2001:db8::1", "2001:db8::2")},
    {"a solicitation for another address in the same group",
     solicitation("ff02::1:ff00:10", "2001:db8:1::10")},
    {"an echo request of ICMPv6 with the address where a target would be",
     neighbour(128, "2001:db8::1", "2001:db8::2", virtual6)},
    {"a solicitation cut short", cut(solicitation("ff02::1:ff00:10", virtual6), 70)},
    {"ARP cut short", cut(arp("192.0.2.1", virtual4), 40)},
    {"ARP of nothing", cut(arp("192.0.2.1", virtual4), 15)},
    {"ARP of another protocol", ethernet(0x0806) + Packet{0, 1, 0x86, 0xdd, 6, 16, 0, 1} + Packet(60, 0)},
    {"ARP with monstrous lengths", ethernet(0x0806) + Packet{0, 1, 8, 0, 255, 4, 0, 1} + Packet(60, 0)},
    {"another protocol", ethernet(0x88cc) + octets(virtual4) + Packet(40, 0)},
    {"the IPv4 address as the beginning of an IPv6 address", udp6("2001:db8::1", "c000:020a::")},
};

void all_pass(const Guarded& host, const std::vector<std::pair<std::string, Packet>>& packets,
              Hook hook = Hook::ingress) {
  for (const auto& [what, packet] : packets) CHECK_MESSAGE(host.passes(packet, hook), what);
}

void none_passes(const Guarded& host, const std::vector<std::pair<std::string, Packet>>& packets,
                 Hook hook = Hook::ingress) {
  for (const auto& [what, packet] : packets) CHECK_MESSAGE(!host.passes(packet, hook), what);
}

std::string filters_shown(const std::string& hook) {
  return output_of("tc filter show dev port7 " + hook);
}

}  // namespace

TEST_CASE("without a lease everything passes: this node is not in charge, and has removed its addresses") {
  const Guarded host;
  all_pass(host, for_us);
  all_pass(host, from_us, Hook::egress);
  CHECK(host.lease->slots().drops(slot) == 0);
}

TEST_CASE("while the lease lasts everything passes") {
  const Guarded host;
  host.lease->slots().set(slot, now() + 1h);
  all_pass(host, for_us);
  all_pass(host, from_us, Hook::egress);
  CHECK(host.lease->slots().drops(slot) == 0);
}

TEST_CASE("when the lease has run out nothing for the addresses comes in, and each packet is counted") {
  const Guarded host;
  host.run_out();
  none_passes(host, for_us);
  CHECK(host.lease->slots().drops(slot) == for_us.size());
}

TEST_CASE("when the lease has run out nothing from the addresses goes out, ARP requests least of all") {
  const Guarded host;
  host.run_out();
  none_passes(host, from_us, Hook::egress);
}

TEST_CASE("what is not for the addresses passes, whatever it looks like and whatever has run out") {
  const Guarded host;
  host.run_out();
  all_pass(host, not_ours);
  all_pass(host, not_ours, Hook::egress);
  CHECK(host.lease->slots().drops(slot) == 0);
}

TEST_CASE("a verdict leaves the packet to the next filter") {
  const Guarded host;
  CHECK(host.verdict(ipv4("192.0.2.1", virtual4), Hook::ingress, host.index) == TC_ACT_UNSPEC);
  host.run_out();
  CHECK(host.verdict(ipv4("192.0.2.1", "192.0.2.2"), Hook::ingress, host.index) == TC_ACT_UNSPEC);
}

TEST_CASE("it is the clock that goes on while the machine sleeps, and the end is exact") {
  const Guarded host;
  const auto until = now() + 30ms;
  host.lease->slots().set(slot, until);
  while (true) {
    const bool passed = host.passes(ipv4("192.0.2.1", virtual4));
    if (now() >= until) break;
    CHECK(passed);
  }
  CHECK_FALSE(host.passes(ipv4("192.0.2.1", virtual4)));
}

TEST_CASE("renewed in time it comes back at once") {
  const Guarded host;
  host.run_out();
  CHECK_FALSE(host.passes(arp("192.0.2.1", virtual4)));
  host.lease->slots().set(slot, now() + 1s);
  CHECK(host.passes(arp("192.0.2.1", virtual4)));
}

TEST_CASE("the same address on another interface is another one") {
  const Guarded host;
  const Port other("port8");
  host.run_out();
  CHECK(host.verdict(ipv4("192.0.2.1", virtual4), Hook::ingress, if_nametoindex("port8")) == TC_ACT_UNSPEC);
}

TEST_CASE("each virtual router has a lease of its own, and an address goes over from one to another") {
  const Guarded host;
  REQUIRE(host.lease->guard({host.index, ip("192.0.2.11")}, slot + 1));
  host.lease->slots().set(slot + 1, now() + 1h);
  host.run_out();
  CHECK_FALSE(host.passes(ipv4("192.0.2.1", virtual4)));
  CHECK(host.passes(ipv4("192.0.2.1", "192.0.2.11")));
  REQUIRE(host.lease->guard({host.index, ip(virtual4)}, slot + 1));
  CHECK(host.passes(ipv4("192.0.2.1", virtual4)));
  REQUIRE(host.lease->release({host.index, ip(virtual6)}));
  CHECK(host.passes(udp6("2001:db8::1", virtual6)));
}

TEST_CASE("a gateway goes on forwarding to whoever has the address now, but delivers nothing itself") {
  const Guarded host;
  run("ip addr add 192.0.2.1/24 dev port7; ip addr add 2001:db8::1/64 dev port7 nodad");
  run("echo 1 > /proc/sys/net/ipv4/conf/all/forwarding; echo 1 > /proc/sys/net/ipv6/conf/all/forwarding");
  host.run_out();
  CHECK(host.passes(ipv4("198.51.100.1", virtual4)));
  CHECK(host.passes(udp6("2001:db8:1::1", virtual6)));
  run("ip addr add 192.0.2.10/24 dev port7; ip addr add 2001:db8::10/64 dev port7 nodad");
  CHECK_FALSE(host.passes(ipv4("198.51.100.1", virtual4)));
  // The kernel gives an IPv6 address its route a moment later.
  CHECK(eventually([&] { return !host.passes(udp6("2001:db8:1::1", virtual6)); }));
  CHECK_FALSE(host.passes(arp("192.0.2.1", virtual4)));
  run("echo 0 > /proc/sys/net/ipv4/conf/all/forwarding; echo 0 > /proc/sys/net/ipv6/conf/all/forwarding");
}

// --- attaching ------------------------------------------------------------------------------------------

TEST_CASE("it hangs at both ends of the interface, once, and leaves nothing behind") {
  const Guarded host;
  CHECK(host.lease->attach(host.index).value());
  CHECK_FALSE(host.lease->attach(host.index).value());
  CHECK(contains(filters_shown("ingress"), "pref 112 bpf chain 0 handle 0x70 vipd_lease_in direct-action"));
  CHECK(contains(filters_shown("egress"), "pref 112 bpf chain 0 handle 0x70 vipd_lease_out direct-action"));
  CHECK(host.lease->interfaces().value() == std::set<std::uint32_t>{host.index});
  REQUIRE(host.lease->detach(host.index));
  CHECK_FALSE(contains(output_of("tc qdisc show dev port7"), "clsact"));
  CHECK(host.lease->interfaces().value().empty());
}

TEST_CASE("a successor goes on with the memory: what has run out stays so, what is valid stays so") {
  Guarded host;
  REQUIRE(host.lease->attach(host.index));
  host.run_out();
  REQUIRE(host.lease->guard({host.index, ip("192.0.2.11")}, 3));
  const auto until = now() + 1h;
  host.lease->slots().set(3, until);
  host.lease.reset();  // as a killed process leaves it
  CHECK(contains(filters_shown("ingress"), "vipd_lease_in"));

  host.lease = std::move(open_lease().value());
  CHECK(host.lease->is_adopted());
  CHECK(host.lease->interfaces().value() == std::set<std::uint32_t>{host.index});
  const auto guarded = host.lease->guarded().value();
  CHECK(guarded.size() == 3);
  CHECK(guarded.at({host.index, ip("192.0.2.11")}) == 3);
  CHECK(guarded.at({host.index, ip(virtual6)}) == slot);
  CHECK(host.lease->slots().until(3) == until);
  CHECK_FALSE(host.passes(ipv4("192.0.2.1", virtual4)));
  CHECK(host.lease->attach(host.index).value());  // the new program in place of the old one
  REQUIRE(host.lease->detach(host.index));
  CHECK_FALSE(contains(output_of("tc qdisc show dev port7"), "clsact"));  // known to be ours from before
}

TEST_CASE("another process renews through the memory alone") {
  const Guarded host;
  host.run_out();
  auto elsewhere = LeaseSlots::map(host.lease->slots_fd()).value();
  elsewhere.set(slot, now() + 1h);
  CHECK(host.passes(ipv4("192.0.2.1", virtual4)));
  elsewhere.set(LeaseSlots::size(), now());  // there is no such slot
  CHECK(elsewhere.until(LeaseSlots::size()) == TimePoint{});
}

TEST_CASE("other people's filters and their qdisc stay as they are") {
  const Guarded host;
  run("tc qdisc add dev port7 clsact");
  run("tc filter add dev port7 ingress pref 5 " + somebody_elses);
  const auto before = filters_shown("ingress");
  REQUIRE(host.lease->attach(host.index));
  run("tc filter add dev port7 egress pref 200 " + somebody_elses);
  REQUIRE(host.lease->detach(host.index));
  CHECK(filters_shown("ingress") == before);
  CHECK(contains(filters_shown("egress"), "pref 200"));
  CHECK(contains(output_of("tc qdisc show dev port7"), "clsact"));
}

TEST_CASE("a qdisc of ours stays when somebody else has come to use it") {
  const Guarded host;
  REQUIRE(host.lease->attach(host.index));
  run("tc filter add dev port7 egress pref 200 " + somebody_elses);
  REQUIRE(host.lease->detach(host.index));
  CHECK(contains(filters_shown("egress"), "pref 200"));
}

TEST_CASE("beside an ingress qdisc of somebody else it guards what comes in, and only that") {
  const Guarded host;
  run("tc qdisc add dev port7 ingress");
  REQUIRE(host.lease->attach(host.index));
  CHECK(contains(output_of("tc filter show dev port7 parent ffff:"), "vipd_lease_in"));
  CHECK_FALSE(contains(output_of("tc filter show dev port7 parent ffff:"), "vipd_lease_out"));
  REQUIRE(host.lease->detach(host.index));
  CHECK(contains(output_of("tc qdisc show dev port7"), "ingress"));
}

TEST_CASE("somebody else's filter in our place is not replaced, nor removed") {
  const Guarded host;
  run("tc qdisc add dev port7 clsact");
  run("tc filter add dev port7 ingress pref 112 handle 112 " + somebody_elses);
  const auto attached = host.lease->attach(host.index);
  REQUIRE_FALSE(attached);
  CHECK(attached.error().code == EBUSY);
  (void)host.lease->detach(host.index);
  CHECK(contains(filters_shown("ingress"), "pref 112 bpf chain 0 handle 0x70 flowid"));
}

TEST_CASE("an interface that is gone is no trouble") {
  std::uint32_t gone = 0;
  auto lease = std::move(open_lease().value());
  {
    const Port port("port8");
    gone = if_nametoindex("port8");
    REQUIRE(lease->attach(gone));
  }
  CHECK(lease->attach(gone).error().code == ENODEV);
  CHECK(lease->detach(gone));
}

// --- on the wire ----------------------------------------------------------------------------------------

namespace {

// The interface with the program attached, its lease run out, and frames that come in from the cable.
struct Wire {
  Elsewhere far{"far"};
  Cable cable{far, "port7", "far"};
  std::uint32_t index = if_nametoindex("port7");
  std::unique_ptr<Lease> lease = std::move(open_lease().value());
  io::Fd socket = far.inside([] { return io::Fd(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0)); });

  Wire() {
    REQUIRE(lease->attach(index));
    for (const auto& address : {virtual4, virtual6}) REQUIRE(lease->guard({index, ip(address)}, slot));
    lease->slots().set(slot, now() - 1ms);
  }

  // How many of these frames were dropped.
  std::uint64_t drops(const std::vector<Packet>& frames) const {
    const auto before = lease->slots().drops(slot);
    for (const auto& frame : frames) send(frame);
    send(arp("192.0.2.1", virtual4));  // the last one, which is
    REQUIRE(eventually([&] { return lease->slots().drops(slot) > before; }));
    std::this_thread::sleep_for(5ms);
    return lease->slots().drops(slot) - before - 1;
  }

  void send(const Packet& frame) const {
    sockaddr_ll address{};
    address.sll_family = AF_PACKET;
    address.sll_ifindex = static_cast<int>(far.inside([] { return if_nametoindex("far"); }));
    REQUIRE(sendto(socket.get(), frame.data(), frame.size(), 0, reinterpret_cast<const sockaddr*>(&address),
                   sizeof address) == static_cast<ssize_t>(frame.size()));
  }
};

Packet tagged(const Packet& packet, std::uint8_t vlan) {
  Packet result(packet.begin(), packet.begin() + 12);
  result = result + Packet{0x81, 0, 0, vlan};
  result.insert(result.end(), packet.begin() + 12, packet.end());
  return result;
}

}  // namespace

TEST_CASE("what comes in from the cable is dropped as well, and what is cut short is left to the kernel") {
  const Wire wire;
  CHECK(wire.drops({ipv4("192.0.2.1", virtual4), udp6("2001:db8::1", virtual6)}) == 2);
  std::vector<Packet> pieces;
  for (const auto& [packet, needed] : {std::pair(arp("192.0.2.1", virtual4), 42),
                                       {ipv4("192.0.2.1", virtual4), 34},
                                       {udp6("2001:db8::1", virtual6), 54},
                                       {solicitation("ff02::1:ff00:10", virtual6), 78}})
    for (int size = 14; size < needed; ++size) pieces.push_back(cut(packet, static_cast<std::size_t>(size)));
  CHECK(wire.drops(pieces) == 0);
}

TEST_CASE("a packet for a VLAN is not for the interface below it, but one with a mere priority is") {
  const Wire wire;
  for (const auto& [what, packet] : for_us) CHECK_MESSAGE(wire.drops({tagged(packet, 5)}) == 0, what);
  for (const auto& [what, packet] : for_us) CHECK_MESSAGE(wire.drops({tagged(packet, 0)}) == 1, what);
}
