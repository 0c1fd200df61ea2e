#include "netlink/link_table.h"

#include <doctest/doctest.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>

#include <vector>

#include "netlink/request.h"

using namespace vipd;
using namespace vipd::netlink;

namespace {
void take(LinkTable& table, Request request) {
  const auto bytes = request.finish(1, 0);
  table.take_datagram(bytes);
}

Request link(int index, const std::string& name) {
  Request request(RTM_NEWLINK, 0);
  ifinfomsg body{};
  body.ifi_index = index;
  body.ifi_flags = IFF_UP | IFF_RUNNING;
  request.body(body);
  request.put_text(IFLA_IFNAME, name);
  return request;
}

Request address(std::uint32_t index, const std::string& text, std::uint8_t length) {
  const auto parsed = IpAddress::parse(text).value();
  Request request(RTM_NEWADDR, 0);
  ifaddrmsg body{};
  body.ifa_family = parsed.family == Family::ipv4 ? AF_INET : AF_INET6;
  body.ifa_prefixlen = length;
  body.ifa_index = index;
  request.body(body);
  request.put(IFA_ADDRESS, parsed.bytes());
  return request;
}

std::vector<Interface> told(LinkTable& table) {
  std::vector<Interface> all;
  table.tell([&](const Interface& each) { all.push_back(each); });
  return all;
}
}  // namespace

TEST_CASE("a change is reported once, with the whole interface") {
  LinkTable table;
  take(table, link(2, "eth0"));
  take(table, address(2, "192.0.2.1", 24));
  const auto first = told(table);
  REQUIRE(first.size() == 1);
  CHECK(first[0].name == "eth0");
  CHECK(first[0].running);
  CHECK(first[0].addresses.size() == 1);
  CHECK(table.take_started() == std::set<std::uint32_t>{2});
  take(table, address(2, "192.0.2.1", 24));
  CHECK(told(table).empty());
}

TEST_CASE("a renamed link disappears under its old name and appears under the new one") {
  LinkTable table;
  take(table, link(2, "eth0"));
  told(table);
  take(table, link(2, "eth1"));
  const auto changes = told(table);
  REQUIRE(changes.size() == 2);
  CHECK(changes[0].name == "eth0");
  CHECK_FALSE(changes[0].exists());
  CHECK(changes[1].name == "eth1");
  CHECK(changes[1].exists());
}

TEST_CASE("an address with a prefix longer than the address is ignored") {
  LinkTable table;
  take(table, link(2, "eth0"));
  take(table, address(2, "192.0.2.1", 33));
  take(table, address(2, "2001:db8::1", 129));
  CHECK(table.snapshot("eth0").addresses.empty());
  take(table, address(2, "2001:db8::1", 128));
  CHECK(table.snapshot("eth0").addresses.size() == 1);
}
