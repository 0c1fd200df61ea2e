#include "programs/guardian/lease_keeper.h"

#include <net/if.h>

#include "netlink/address.h"
#include "programs/common/clock.h"
#include "tests/network.h"

using namespace vipd;
using namespace vipd::programs;
using namespace vipd::test;
using namespace std::chrono_literals;

namespace {
constexpr TimePoint none{};

vrrp::VirtualRouterConfig router(vrrp::Vrid vrid, const std::string& interface,
                                 std::vector<std::string> addresses) {
  vrrp::VirtualRouterConfig config;
  config.key = {interface, vrid, Family::ipv4};
  for (const auto& each : addresses) config.addresses.push_back(Prefix::parse(each).value());
  return config;
}

// The guardian's side, and its messages to the router.
struct Host {
  Port port{"port7"};
  std::uint32_t index = if_nametoindex("port7");
  io::Loop loop;
  Log log{"vipd", Level::error};
  Reservations claims;
  Leases told;
  std::optional<netlink::LeaseSlots> slots;
  std::unique_ptr<LeaseKeeper> keeper = make();

  std::unique_ptr<LeaseKeeper> make() {
    return std::make_unique<LeaseKeeper>(loop, log, claims, [this](const Leases& leases, int memory) {
      told = {leases.slots, leases.why_not, {}};
      if (memory >= 0) slots = std::move(netlink::LeaseSlots::map(memory).value());
    });
  }
  // An address as a dead router leaves it.
  void leave(const std::string& prefix) const {
    auto socket = netlink::Socket::open(NETLINK_ROUTE).value();
    netlink::AddressChange change;
    change.interface_index = index;
    change.prefix = Prefix::parse(prefix).value();
    REQUIRE(netlink::apply(socket, {&change, 1}).front());
  }
  std::uint32_t slot(vrrp::Vrid vrid) const { return told.slots.at({"port7", vrid, Family::ipv4}); }
  WantedLeases wanted(const std::vector<vrrp::VirtualRouterConfig>& routers) const {
    WantedLeases wanted;
    for (const auto& each : routers)
      wanted.routers[each.key] = {if_nametoindex(each.key.interface.c_str()), each.addresses};
    return wanted;
  }
  // What the kernel has, through the eyes of a successor.
  static netlink::Lease::Addresses guarded() { return netlink::open_lease().value()->guarded().value(); }
  std::size_t guards(const std::string& address) const {
    return guarded().count({index, IpAddress::parse(address).value()});
  }
};

const auto one = router(1, "port7", {"192.0.2.10/24", "192.0.2.11/24"});
const auto two = router(2, "port7", {"192.0.2.20/24"});
}  // namespace

TEST_CASE("at the start every virtual router has a slot, without a lease, and its addresses are guarded") {
  Host host;
  host.keeper->start({one, two});
  CHECK(host.told.why_not.empty());
  CHECK(host.slot(1) != host.slot(2));
  CHECK(host.slots->until(host.slot(1)) == none);
  CHECK(host.guarded().size() == 3);
  host.keeper->close();
  CHECK_FALSE(contains(output_of("tc qdisc show dev port7"), "clsact"));
}

TEST_CASE(
    "a reload guards at once what is new, and goes on guarding what is gone until the router lets go of it") {
  Host host;
  host.keeper->start({one});
  host.keeper->replace(host.wanted({one}));
  const auto slot = host.slot(1);
  host.keeper->configure({two});
  CHECK(host.guards("192.0.2.20") == 1);
  CHECK(host.guards("192.0.2.10") == 1);
  CHECK(host.slot(1) == slot);
  host.keeper->replace(host.wanted({one, two}));  // one still hands over
  CHECK(host.guards("192.0.2.10") == 1);
  host.keeper->replace(host.wanted({two}));
  CHECK(host.guards("192.0.2.10") == 0);
  CHECK_FALSE(host.told.slots.contains(one.key));
  host.keeper->close();
}

TEST_CASE("an address that moves to another virtual router is under the lease of that one") {
  Host host;
  host.keeper->start({one, two});
  host.keeper->replace(host.wanted({one, two}));
  auto smaller = one;
  smaller.addresses.pop_back();
  auto larger = two;
  larger.addresses.push_back(one.addresses.back());
  host.keeper->configure({smaller, larger});
  CHECK(host.guarded().at({host.index, one.addresses.back().address}) == host.slot(2));
  host.keeper->close();
}

TEST_CASE("a slot that changes hands has no lease at first") {
  Host host;
  host.keeper->start({one});
  const auto slot = host.slot(1);
  host.keeper->renew(one.key, now() + 1h);
  host.keeper->configure({two});
  host.keeper->replace(host.wanted({two}));
  host.keeper->configure({one, two});
  CHECK(host.slot(1) == slot);
  CHECK(host.slots->until(slot) == none);
  host.keeper->close();
}

TEST_CASE(
    "the next start goes on where a dead one stopped: leases, slots, and no interface that is not wanted") {
  Host host;
  const Port other("port8");
  host.keeper->start({one, two, router(3, "port8", {"192.0.2.30/24"})});
  const auto slot = host.slot(2);
  host.keeper->renew(two.key, TimePoint{5s});
  host.keeper = host.make();  // it was killed
  host.keeper->start({two, one});
  CHECK(host.slot(2) == slot);
  CHECK(host.slots->until(slot) == TimePoint{5s});
  CHECK_FALSE(contains(output_of("tc qdisc show dev port8"), "clsact"));
  CHECK(host.guarded().size() == 3);
  host.keeper->end(two.key);
  host.keeper->close();
}

TEST_CASE(
    "addresses of ours that are there although nobody has left a lease are nobody's: they fall silent") {
  Host host;
  host.leave("192.0.2.10/24");
  run("ip addr add 192.0.2.20/24 dev port7");
  host.keeper->start({one, two});
  CHECK(host.slots->until(host.slot(1)) != none);
  CHECK(host.slots->until(host.slot(1)) < now());
  CHECK(host.slots->until(host.slot(2)) == none);  // the host's own
  host.keeper->end(one.key);
  host.keeper->close();
}

TEST_CASE("addresses that a router manages are not guarded as leftovers") {
  Host host;
  host.leave("192.0.2.10/24");
  host.keeper->start({one}, false);
  CHECK(host.slots->until(host.slot(1)) == none);
  host.keeper->close();
}

TEST_CASE("at the end of an orderly stop it stays where addresses could not be removed") {
  Host host;
  host.keeper->start({one});
  host.keeper->renew(one.key, now() - 1ms);
  host.keeper->close();
  CHECK(contains(output_of("tc filter show dev port7 ingress"), "vipd_lease_in"));
}

TEST_CASE("an interface that is not there yet is guarded when the router has seen it") {
  Host host;
  const auto late = router(3, "port8", {"192.0.2.30/24"});
  host.keeper->start({late});
  CHECK(host.told.why_not.at(late.key) == "the interface does not exist");
  const Port port("port8");
  host.keeper->replace(host.wanted({late}));
  CHECK(host.told.why_not.empty());
  CHECK(contains(output_of("tc filter show dev port8 ingress"), "vipd_lease_in"));
  host.keeper->close();
}

TEST_CASE("only virtual routers that want a lease have one, and an address owner wants none") {
  Host host;
  auto off = one;
  off.lease = false;
  auto owner = two;
  owner.priority = vrrp::owner_priority;
  host.keeper->start({off, owner});
  CHECK(host.told.slots.empty());
  CHECK_FALSE(contains(output_of("tc qdisc show dev port7"), "clsact"));
  host.keeper->configure({one});
  CHECK(host.told.slots.size() == 1);
  host.keeper->close();
}

TEST_CASE("where the place is taken it says so, and comes when the place is free") {
  Host host;
  run("tc qdisc add dev port7 clsact");
  run("tc filter add dev port7 ingress pref 112 handle 112 protocol all bpf bytecode '1,6 0 0 0' flowid 1:1");
  host.keeper->start({one});
  CHECK(contains(host.told.why_not.at(one.key), "has priority 112"));
  run("tc filter del dev port7 ingress pref 112");
  host.keeper->tick(now() + 10s);
  CHECK(host.told.why_not.empty());
  CHECK(contains(output_of("tc filter show dev port7 ingress"), "vipd_lease_in"));
  host.keeper->close();
}

TEST_CASE(
    "what somebody takes away is put back as soon as the kernel tells, and nothing is looked at before") {
  Host host;
  host.keeper->start({one});
  REQUIRE(host.loop.wait(io::now()));
  CHECK(host.keeper->deadline() > now() + 30s);
  run("tc filter del dev port7 ingress pref 112");
  REQUIRE(host.loop.wait(io::now() + 2s));
  CHECK(host.keeper->deadline() <= now() + 1s);
  host.keeper->tick(now() + 1s);
  CHECK(contains(output_of("tc filter show dev port7 ingress"), "vipd_lease_in"));
  run("tc qdisc del dev port7 clsact");
  REQUIRE(host.loop.wait(io::now() + 2s));
  host.keeper->tick(now() + 2s);
  CHECK(contains(output_of("tc filter show dev port7 ingress"), "vipd_lease_in"));
  host.keeper->close();
}

TEST_CASE("other people's filters come and go without a look at ours") {
  Host host;
  host.keeper->start({one});
  run("tc filter add dev port7 ingress pref 7 handle 7 protocol all bpf bytecode '1,6 0 0 0' flowid 1:1");
  run("tc filter del dev port7 ingress pref 7");
  REQUIRE(host.loop.wait(io::now()));
  CHECK(host.keeper->deadline() > now() + 30s);
  host.keeper->close();
}

TEST_CASE("the leases that another vipd of this network namespace keeps are left alone, and it is said why") {
  Host host;
  host.keeper->start({one});
  Reservations of_the_other;
  LeaseKeeper other(host.loop, host.log, of_the_other,
                    [&](const Leases& leases, int) { host.told = {leases.slots, leases.why_not, {}}; });
  other.start({two});
  CHECK(host.guards("192.0.2.10") == 1);
  CHECK(host.told.why_not.at(two.key) ==
        "the leases of all interfaces are managed by another vipd in this network namespace (process " +
            std::to_string(getpid()) + "): stop that one first, or serve everything with one vipd");
  host.keeper->close();
}
