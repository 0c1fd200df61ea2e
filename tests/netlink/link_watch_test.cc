#include "netlink/link_watch.h"

#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <ctime>
#include <memory>

#include "netlink/address.h"
#include "tests/network.h"

using namespace vipd;
using namespace vipd::netlink;
using namespace vipd::test;
using namespace std::chrono_literals;

namespace {

Prefix prefix(const std::string& text) {
  return Prefix::parse(text).value();
}

// A monitor and everything that it has reported.
struct Watcher {
  LinkWatch monitor;
  std::vector<Interface> told;

  explicit Watcher(std::size_t receive_buffer = 8 << 20) : monitor(LinkWatch::open(receive_buffer).value()) {
    REQUIRE(monitor.refresh(collect()));
  }
  LinkWatch::Changed collect() {
    return [this](const Interface& interface) { told.push_back(interface); };
  }
  // The interfaces that one call of receive reports.
  std::vector<Interface> receive() {
    told.clear();
    const auto result = monitor.receive(collect());
    REQUIRE_MESSAGE(result, (result ? "" : result.error().message));
    return told;
  }
  // Waits until the last report about an interface meets the condition.
  template <class Wanted>
  bool until(const std::string& name, Wanted wanted, std::chrono::milliseconds time = 30s) {
    return eventually(
        [&] {
          receive();
          return wanted(monitor.snapshot(name));
        },
        time);
  }
};

std::vector<std::string> addresses_of(const Interface& interface) {
  std::vector<std::string> all;
  for (const auto& each : interface.addresses) all.push_back(to_string(each.prefix));
  return all;
}

using Texts = std::vector<std::string>;

}  // namespace

TEST_CASE("at the start every interface is reported") {
  Port port("port8");
  run("ip link set port8 mtu 1400 address 02:00:00:00:00:08");
  run("ip addr add 192.0.2.1/24 dev port8; ip addr add 192.0.2.2/24 dev port8; ip addr add 198.51.100.1/32 "
      "dev port8");
  run("ip addr add fe80::8/64 dev port8 nodad");
  auto socket = Socket::open(NETLINK_ROUTE).value();
  AddressChange vip;
  vip.interface_index = if_nametoindex("port8");
  vip.prefix = prefix("2001:db8::8/64");
  REQUIRE(netlink::apply(socket, {&vip, 1}).at(0));
  Watcher watcher;
  CHECK(std::any_of(watcher.told.begin(), watcher.told.end(),
                    [](const auto& each) { return each.name == "lo"; }));
  const auto found = std::find_if(watcher.told.begin(), watcher.told.end(),
                                  [](const auto& each) { return each.name == "port8"; });
  REQUIRE(found != watcher.told.end());
  CHECK(found->index == if_nametoindex("port8"));
  CHECK(found->up);
  CHECK(found->running);
  CHECK(found->mtu == 1400);
  CHECK(to_string(found->mac) == "02:00:00:00:00:08");
  auto all = addresses_of(*found);
  REQUIRE(all.size() == 5);
  // IPv4 in the kernel's order: first the primary address of each network, then the secondary ones.
  CHECK(Texts(all.begin(), all.begin() + 3) == Texts{"192.0.2.1/24", "198.51.100.1/32", "192.0.2.2/24"});
  for (const auto& each : found->addresses) CHECK(each.ours == (to_string(each.prefix) == "2001:db8::8/64"));
  CHECK(watcher.monitor.snapshot("port8") == *found);
  CHECK(watcher.receive().empty());
}

TEST_CASE("changes are reported once per turn, each with the whole interface") {
  Port port("port8");
  Watcher watcher;
  run("ip addr add 192.0.2.1/24 dev port8; ip link set port8 mtu 1300; ip link set port8 address "
      "02:00:00:00:00:09; "
      "ip addr add 192.0.2.2/24 dev port8");
  auto told = watcher.receive();
  REQUIRE(told.size() == 1);
  CHECK(told[0].name == "port8");
  CHECK(told[0].mtu == 1300);
  CHECK(to_string(told[0].mac) == "02:00:00:00:00:09");
  CHECK(addresses_of(told[0]) == Texts{"192.0.2.1/24", "192.0.2.2/24"});

  run("ip addr del 192.0.2.2/24 dev port8; ip addr del 192.0.2.1/24 dev port8; ip addr add 192.0.2.2/24 dev "
      "port8");
  told = watcher.receive();
  REQUIRE(told.size() == 1);
  CHECK(addresses_of(told[0]) == Texts{"192.0.2.2/24"});

  run("ip addr add 192.0.2.9/24 dev port8; ip addr del 192.0.2.9/24 dev port8");  // no change in the end
  CHECK(watcher.receive().empty());
}

TEST_CASE("IPv4 addresses have the kernel's order, also after a secondary one was promoted") {
  Port port("port8");
  run("echo 1 > /proc/sys/net/ipv4/conf/port8/promote_secondaries");
  Watcher watcher;
  run("ip addr add 192.0.2.1/24 dev port8; ip addr add 192.0.2.2/24 dev port8; ip addr add 192.0.2.3/24 "
      "dev port8; "
      "ip addr add 198.51.100.1/24 dev port8");
  watcher.receive();
  CHECK(watcher.monitor.snapshot("port8") == Watcher().monitor.snapshot("port8"));
  run("ip addr del 192.0.2.1/24 dev port8");
  watcher.receive();
  CHECK(watcher.monitor.snapshot("port8") == Watcher().monitor.snapshot("port8"));
  CHECK(addresses_of(watcher.monitor.snapshot("port8")) ==
        Texts{"198.51.100.1/24", "192.0.2.2/24", "192.0.2.3/24"});
}

TEST_CASE("renewing a lifetime is not reported") {
  Port port("port8");
  Watcher watcher;
  auto socket = Socket::open(NETLINK_ROUTE).value();
  AddressChange vip;
  vip.interface_index = if_nametoindex("port8");
  vip.prefix = prefix("192.0.2.10/24");
  vip.valid = 3s;
  std::vector changes{vip, vip};
  changes[1].prefix = prefix("2001:db8::10/64");
  for (const auto& result : netlink::apply(socket, changes)) CHECK(result);
  // The kernel reports an IPv6 address a moment later, even without duplicate address detection.
  REQUIRE(watcher.until("port8", [](const Interface& each) { return each.addresses.size() == 2; }));
  for (const auto& each : watcher.monitor.snapshot("port8").addresses) CHECK(each.ours);
  for (const auto& result : netlink::apply(socket, changes)) CHECK(result);
  CHECK(readable(watcher.monitor.fd()));  // the kernel did send a message
  CHECK(watcher.receive().empty());
}

TEST_CASE("an address that expires is reported") {
  Port port("port8");
  Watcher watcher;
  run("ip addr add 192.0.2.10/24 dev port8 valid_lft 1 preferred_lft 1");
  CHECK(watcher.receive().size() == 1);
  CHECK(watcher.until("port8", [](const Interface& each) { return each.addresses.empty(); }));
}

TEST_CASE("a deleted interface is reported once with index 0, a new one with the new index") {
  auto port = std::make_unique<Port>("port8");
  run("ip addr add 192.0.2.1/24 dev port8");
  Watcher watcher;
  const auto first = watcher.monitor.snapshot("port8");
  port.reset();
  auto told = watcher.receive();
  REQUIRE(told.size() == 1);
  CHECK(told[0].name == "port8");
  CHECK_FALSE(told[0].exists());
  CHECK(told[0].addresses.empty());
  CHECK(watcher.receive().empty());
  CHECK_FALSE(watcher.monitor.snapshot("port8").exists());

  Port again("port8");
  told = watcher.receive();
  REQUIRE(told.size() == 1);
  CHECK(told[0].exists());
  CHECK(told[0].index != first.index);
  CHECK(told[0].addresses.empty());
}

TEST_CASE("an interface that is deleted and created again between two reads is reported with its new index") {
  Port port("port8");
  run("ip addr add 192.0.2.1/24 dev port8");
  Watcher watcher;
  run("ip link del port8; ip link add port8 index 4321 type veth peer name far2 netns far-port8; ip link set "
      "port8 addrgenmode none up");
  const auto told = watcher.receive();
  REQUIRE(told.size() == 1);
  CHECK(told[0].index == 4321);
  CHECK(told[0].up);
  CHECK(told[0].addresses.empty());
}

TEST_CASE("a renamed interface disappears under its old name and appears under its new one") {
  Port port("port8");
  run("ip addr add 192.0.2.1/24 dev port8");
  Watcher watcher;
  run("ip link set port8 name door8");
  const auto told = watcher.receive();
  REQUIRE(told.size() == 2);
  CHECK(told[0].name == "port8");
  CHECK_FALSE(told[0].exists());
  CHECK(told[1].name == "door8");
  CHECK(told[1].exists());
  CHECK(addresses_of(told[1]) == Texts{"192.0.2.1/24"});
  run("ip link set door8 name port8");
}

TEST_CASE("two interfaces that swap their names are reported with each other's index") {
  Port a("porta");
  Port b("portb");
  Watcher watcher;
  const auto index_a = if_nametoindex("porta");
  const auto index_b = if_nametoindex("portb");
  run("ip link set porta name portc; ip link set portb name porta; ip link set portc name portb");
  CHECK(watcher.receive().size() == 2);
  CHECK(watcher.monitor.snapshot("porta").index == index_b);
  CHECK(watcher.monitor.snapshot("portb").index == index_a);
}

TEST_CASE("an interface that moves to another namespace disappears") {
  Elsewhere elsewhere("vipd-peer");
  Port port("port8");
  Watcher watcher;
  run("ip link set port8 netns vipd-peer");
  const auto told = watcher.receive();
  REQUIRE(told.size() == 1);
  CHECK_FALSE(told[0].exists());
}

TEST_CASE("a port that leaves its bridge still exists") {
  Port port("port8");
  Port other("port9");
  run("ip link add bridge8 type bridge && ip link set port9 master bridge8");
  Watcher watcher;
  run("ip link set port9 nomaster");
  watcher.receive();
  CHECK(watcher.monitor.snapshot("port9").exists());
  run("ip link del bridge8");
}

TEST_CASE("carrier and administrative state are distinguished") {
  Elsewhere peer("vipd-peer");
  Cable cable(peer, "left", "right");
  Watcher watcher;
  CHECK(watcher.monitor.snapshot("left").running);
  peer.run("ip link set right down");
  CHECK(watcher.until("left", [](const Interface& each) { return each.up && !each.running; }));
  peer.run("ip link set right up");
  CHECK(watcher.until("left", [](const Interface& each) { return each.up && each.running; }));
  run("ip link set left down");
  CHECK(watcher.until("left", [](const Interface& each) { return !each.up && !each.running; }));
  run("ip link set left up");
  CHECK(watcher.until("left", [](const Interface& each) { return each.up && each.running; }));
}

TEST_CASE("an IPv6 address is reported as tentative, and again when it is usable") {
  Elsewhere peer("vipd-peer");
  Cable cable(peer, "left", "right");
  Watcher watcher;
  run("ip addr add fe80::77/64 dev left");
  CHECK(watcher.until("left", [](const Interface& each) {
    return each.addresses.size() == 1 && each.addresses[0].tentative && !each.addresses[0].dad_failed;
  }));
  CHECK(watcher.until("left", [](const Interface& each) {
    return each.addresses.size() == 1 && !each.addresses[0].tentative;
  }));
}

TEST_CASE("the link-local address that appears with the carrier is reported as tentative first") {
  Elsewhere peer("vipd-peer");
  Cable cable(peer, "left", "right");
  run("ip link set left down; ip link set left addrgenmode eui64");
  Watcher watcher;
  run("ip link set left up");
  CHECK(watcher.until("left", [](const Interface& each) {
    return each.addresses.size() == 1 && each.addresses[0].tentative;
  }));
  CHECK(watcher.until("left", [](const Interface& each) {
    return each.addresses.size() == 1 && !each.addresses[0].tentative;
  }));
}

TEST_CASE("an address that another host has is reported as a duplicate") {
  Elsewhere peer("vipd-peer");
  Cable cable(peer, "left", "right");
  peer.run("ip addr add 2001:db8::77/64 dev right nodad");
  Watcher watcher;
  run("ip addr add 2001:db8::77/64 dev left");
  CHECK(watcher.until("left", [](const Interface& each) {
    return each.addresses.size() == 1 && each.addresses[0].dad_failed;
  }));
}

TEST_CASE("after the kernel had to drop events, everything is read again") {
  Port port("port8");
  Port other("port9");
  Watcher watcher(4096);
  auto socket = Socket::open(NETLINK_ROUTE).value();
  std::vector<AddressChange> changes;
  for (int i = 0; i < 300; ++i) {
    AddressChange change;
    change.interface_index = if_nametoindex("port8");
    change.prefix = prefix("198.51." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250) + "/32");
    changes.push_back(change);
  }
  for (const auto& result : netlink::apply(socket, changes)) CHECK(result);
  run("ip link del port9");
  CHECK(watcher.monitor.overruns() == 0);
  const auto told = watcher.receive();
  CHECK(watcher.monitor.overruns() == 1);
  REQUIRE(told.size() == 2);  // unchanged interfaces are not reported again
  CHECK(told[0].name == "port9");
  CHECK_FALSE(told[0].exists());
  CHECK(told[1].name == "port8");
  CHECK(told[1].addresses.size() == 300);

  run("ip addr flush dev port8");
  watcher.receive();
  CHECK(watcher.monitor.snapshot("port8").addresses.empty());
  run("ip addr add 192.0.2.1/24 dev port8");  // and events arrive as before
  CHECK(watcher.receive().size() == 1);
}

TEST_CASE("reading everything again reports nothing if nothing has changed") {
  Port port("port8");
  run("ip addr add 192.0.2.1/24 dev port8; ip addr add 2001:db8::1/64 dev port8 nodad");
  Watcher watcher;
  watcher.told.clear();
  REQUIRE(watcher.monitor.refresh(watcher.collect()));
  CHECK(watcher.told.empty());
}

TEST_CASE("five thousand addresses on one interface are tracked with little work") {
  Port port("port8");
  Watcher watcher(64 << 20);
  auto socket = Socket::open(NETLINK_ROUTE).value();
  std::vector<AddressChange> changes;
  for (int i = 0; i < 5000; ++i) {
    AddressChange change;
    change.interface_index = if_nametoindex("port8");
    change.prefix = prefix("198.51." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250) + "/32");
    change.valid = 60s;
    changes.push_back(change);
  }
  for (const auto& result : netlink::apply(socket, changes)) CHECK(result);

  const auto cpu = [] { return std::chrono::duration<double>(double(std::clock()) / CLOCKS_PER_SEC); };
  auto begin = cpu();
  int turns = 0;
  std::size_t last = 0;
  while (last < 5000 && turns < 100) {
    ++turns;
    for (const auto& each : watcher.receive()) last = each.addresses.size();
  }
  CHECK(last == 5000);
  CHECK(turns <= 8);
  CHECK(cpu() - begin < 500ms);

  for (const auto& result : netlink::apply(socket, changes)) CHECK(result);  // renewals
  begin = cpu();
  while (readable(watcher.monitor.fd(), 0)) CHECK(watcher.receive().empty());
  CHECK(cpu() - begin < 500ms);
  CHECK(watcher.monitor.overruns() == 0);
}
