#include "netlink/address.h"

#include <linux/rtnetlink.h>
#include <net/if.h>

#include "netlink/batch.h"
#include "tests/network.h"

using namespace vipd;
using namespace vipd::netlink;
using namespace vipd::test;
using namespace std::chrono_literals;

namespace {

Prefix prefix(const std::string& text) {
  return Prefix::parse(text).value();
}

struct Host {
  Port port{"port7"};
  std::uint32_t index = if_nametoindex("port7");
  Socket socket = Socket::open(NETLINK_ROUTE).value();

  AddressChange adding(const std::string& text, Duration valid = 0s) const {
    AddressChange change;
    change.interface_index = index;
    change.prefix = prefix(text);
    change.valid = valid;
    return change;
  }
  AddressChange removing(const std::string& text) const {
    auto change = adding(text);
    change.add = false;
    return change;
  }
  Result<> one(const AddressChange& change) { return netlink::apply(socket, {&change, 1}).at(0); }

  // The line and the lifetime line of one address, as `ip` prints them; empty if the address does not exist.
  static std::string shown(const std::string& text) {
    const auto all = output_of("ip -d addr show dev port7");
    const auto begin = all.find(" " + text + " ");
    if (begin == std::string::npos) return "";
    const auto first_line = all.find('\n', begin);
    return all.substr(begin + 1, all.find('\n', first_line + 1) - begin - 1);
  }
  static std::string routes(const std::string& network) {
    return output_of("ip -d route show " + network + " dev port7");
  }
  static std::string routes6(const std::string& network) {
    return output_of("ip -6 -d route show " + network + " dev port7");
  }
};

}  // namespace

TEST_CASE("a virtual address is permanent, without duplicate address detection or broadcast") {
  Host host;
  REQUIRE(host.one(host.adding("192.0.2.10/24")));
  REQUIRE(host.one(host.adding("2001:db8::10/64")));
  const auto ipv4 = Host::shown("192.0.2.10/24");
  CHECK(contains(ipv4, "scope global"));
  CHECK(contains(ipv4, " port7\n"));
  CHECK(contains(ipv4, "valid_lft forever preferred_lft forever"));
  CHECK_FALSE(contains(ipv4, "brd"));
  const auto ipv6 = Host::shown("2001:db8::10/64");
  CHECK(contains(ipv6, "scope global nodad"));
  CHECK_FALSE(contains(ipv6, "tentative"));
  CHECK(contains(ipv6, "valid_lft forever preferred_lft 0sec"));
}

TEST_CASE("the kernel does not choose a virtual IPv6 address as source; IPv4 needs no such measure") {
  Host host;
  REQUIRE(host.one(host.adding("2001:db8::10/128", 30s)));
  CHECK(contains(Host::shown("2001:db8::10/128"), "valid_lft 30sec preferred_lft 0sec"));
  REQUIRE(host.one(host.adding("2001:db8::11/128")));
  CHECK(contains(Host::shown("2001:db8::11/128"), "valid_lft forever preferred_lft 0sec"));
  REQUIRE(host.one(host.adding("192.0.2.10/32", 30s)));
  CHECK(contains(Host::shown("192.0.2.10/32"), "valid_lft 30sec preferred_lft 30sec"));
}

TEST_CASE("adding again renews the lifetime and changes nothing else") {
  Host host;
  run("ip addr add 192.0.2.1/24 dev port7");
  for (const std::string text : {"192.0.2.10/24", "2001:db8::10/64"}) {
    CAPTURE(text);
    auto change = host.adding(text, 2500ms);  // rounded up
    change.no_prefix_route = true;
    if (text[0] == '1') change.label = "port7:vip";
    REQUIRE(host.one(change));
    const auto first = Host::shown(text);
    const bool ipv6 = text[0] == '2';
    CHECK(contains(first, ipv6 ? "valid_lft 3sec preferred_lft 0sec" : "valid_lft 3sec preferred_lft 3sec"));
    CHECK(contains(first, "noprefixroute"));
    change.valid = 100s;
    change.label.clear();
    REQUIRE(host.one(change));
    const auto renewed = Host::shown(text);
    CHECK(contains(renewed,
                   ipv6 ? "valid_lft 100sec preferred_lft 0sec" : "valid_lft 100sec preferred_lft 100sec"));
    CHECK(renewed.substr(0, renewed.find('\n')) == first.substr(0, first.find('\n')));
    change.valid = 0s;
    REQUIRE(host.one(change));
    CHECK(contains(Host::shown(text), "valid_lft forever"));
    change.valid = 5s;  // and from permanent to finite
    REQUIRE(host.one(change));
    CHECK(contains(Host::shown(text), "valid_lft 5sec"));
  }
  CHECK(contains(Host::shown("192.0.2.10/24"), "secondary"));
  CHECK(contains(Host::shown("192.0.2.10/24"), "port7:vip"));
}

TEST_CASE("an address that is not renewed expires, one that is renewed stays") {
  Host host;
  std::vector<AddressChange> renewed{host.adding("192.0.2.10/24", 1s), host.adding("2001:db8::10/64", 1s)};
  std::vector<AddressChange> forgotten{host.adding("192.0.2.20/24", 1s), host.adding("2001:db8::20/64", 1s)};
  for (const auto& result : netlink::apply(host.socket, renewed)) CHECK(result);
  for (const auto& result : netlink::apply(host.socket, forgotten)) CHECK(result);
  const auto gone = [] {
    return Host::shown("192.0.2.20/24").empty() && Host::shown("2001:db8::20/64").empty();
  };
  CHECK_FALSE(gone());
  CHECK(eventually([&] {
    for (const auto& result : netlink::apply(host.socket, renewed)) CHECK(result);
    return gone();
  }));
  CHECK_FALSE(Host::shown("192.0.2.10/24").empty());
  CHECK_FALSE(Host::shown("2001:db8::10/64").empty());
}

TEST_CASE(
    "the host keeps its own connected route when a virtual address in its network expires or is removed") {
  Host host;
  run("ip addr add 192.0.2.1/24 dev port7; ip addr add 2001:db8::1/64 dev port7 nodad");
  const auto ipv4 = Host::routes("192.0.2.0/24");
  const auto ipv6 = Host::routes6("2001:db8::/64");
  REQUIRE(contains(ipv4, "proto kernel"));
  REQUIRE(contains(ipv6, "proto kernel"));
  REQUIRE_FALSE(contains(ipv6, "expires"));

  std::vector<AddressChange> changes{host.adding("192.0.2.10/24", 1s), host.adding("2001:db8::10/64", 1s),
                                     host.adding("192.0.2.11/24", 100s),
                                     host.adding("2001:db8::11/64", 100s)};
  for (auto& change : changes) change.no_prefix_route = true;
  for (int i = 0; i < 2; ++i) {  // also when renewed
    for (const auto& result : netlink::apply(host.socket, changes)) CHECK(result);
    CHECK(Host::routes("192.0.2.0/24") == ipv4);
    CHECK(Host::routes6("2001:db8::/64") == ipv6);
  }
  CHECK(eventually(
      [] { return Host::shown("192.0.2.10/24").empty() && Host::shown("2001:db8::10/64").empty(); }));
  REQUIRE(host.one(host.removing("192.0.2.11/24")));
  REQUIRE(host.one(host.removing("2001:db8::11/64")));
  CHECK(Host::routes("192.0.2.0/24") == ipv4);
  CHECK(Host::routes6("2001:db8::/64") == ipv6);
  CHECK_FALSE(Host::shown("192.0.2.1/24").empty());
}

TEST_CASE("a virtual address that is alone in its network adds the route and removes it") {
  Host host;
  for (const auto& result : netlink::apply(host.socket, std::vector{host.adding("198.51.100.10/24", 1s),
                                                                    host.adding("2001:db8:1::10/64", 1s)}))
    CHECK(result);
  CHECK(contains(Host::routes("198.51.100.0/24"), "proto kernel"));
  CHECK(contains(Host::routes6("2001:db8:1::/64"), "expires"));
  CHECK(eventually(
      [] { return Host::shown("198.51.100.10/24").empty() && Host::shown("2001:db8:1::10/64").empty(); }));
  CHECK(Host::routes("198.51.100.0/24").empty());
  // The kernel removes the route later, but no longer uses it.
  CHECK(eventually(
      [] { return contains(output_of("ip -6 route get 2001:db8:1::99 oif port7 2>&1"), "unreachable"); }));
}

TEST_CASE("a later address of the host gets its permanent route, which renewals do not change") {
  Host host;
  auto change = host.adding("2001:db8::10/64", 2s);
  REQUIRE(host.one(change));
  run("ip addr add 2001:db8::1/64 dev port7 nodad");
  change.no_prefix_route = true;  // as is_connected() says from now on
  REQUIRE(host.one(change));
  const auto route = Host::routes6("2001:db8::/64");
  CHECK(contains(route, "proto kernel"));
  CHECK_FALSE(contains(route, "expires"));
  REQUIRE(host.one(host.removing("2001:db8::10/64")));
  CHECK(Host::routes6("2001:db8::/64") == route);
}

TEST_CASE("removing an address that does not exist succeeds, also if its interface does not exist") {
  Host host;
  CHECK(host.one(host.removing("192.0.2.10/24")));
  CHECK(host.one(host.removing("2001:db8::10/64")));
  REQUIRE(host.one(host.adding("192.0.2.10/24")));
  REQUIRE(host.one(host.adding("2001:db8::10/64")));
  CHECK(host.one(host.removing("192.0.2.10/24")));
  CHECK(host.one(host.removing("2001:db8::10/64")));
  CHECK(Host::shown("192.0.2.10/24").empty());
  CHECK(Host::shown("2001:db8::10/64").empty());
  auto elsewhere = host.removing("192.0.2.10/24");
  elsewhere.interface_index = 987654;
  CHECK(host.one(elsewhere));
}

TEST_CASE("errors name address and interface, and include the kernel's error text") {
  Host host;
  auto change = host.adding("192.0.2.10/24");
  change.interface_index = 987654;
  auto result = host.one(change);
  REQUIRE_FALSE(result);
  CHECK(result.error().code == ENODEV);
  CHECK(result.error().message.starts_with("adding 192.0.2.10/24 to interface 987654: No such device"));

  run("echo 1 > /proc/sys/net/ipv6/conf/port7/disable_ipv6");
  result = host.one(host.adding("2001:db8::10/64"));
  REQUIRE_FALSE(result);
  CHECK(result.error().code == EACCES);
  CHECK(result.error().message.starts_with("adding 2001:db8::10/64 to port7: Permission denied ("));
  CHECK(contains(result.error().message, "IPv6 is disabled on this device)"));
}

TEST_CASE("five thousand addresses are added and removed in batches, and an invalid one affects no other") {
  Host host;
  std::vector<AddressChange> changes;
  for (int i = 0; i < 5000; ++i) {
    const auto text = i % 8 == 1
                          ? "2001:db8::" + std::to_string(i) + "/64"
                          : "198.51." + std::to_string(i / 250) + "." + std::to_string(1 + i % 250) + "/32";
    changes.push_back(host.adding(text, 60s));
  }
  changes[2500].prefix = Prefix{changes[2500].prefix.address, 77};
  changes[2501].interface_index = 987654;

  auto results = netlink::apply(host.socket, changes);
  REQUIRE(results.size() == 5000);
  int failed = 0;
  for (const auto& result : results) failed += !result;
  CHECK(failed == 2);
  REQUIRE_FALSE(results[2500]);
  CHECK(results[2500].error().code == EINVAL);
  REQUIRE_FALSE(results[2501]);
  CHECK(results[2501].error().code == ENODEV);
  CHECK(output_of("ip -o addr show dev port7 | wc -l") == "4998\n");

  for (auto& change : changes) change.add = false;
  results = netlink::apply(host.socket, changes);
  failed = 0;
  for (const auto& result : results) failed += !result;
  CHECK(failed == 0);  // an address that was never added counts as removed
  CHECK(output_of("ip -o addr show dev port7 | wc -l") == "0\n");
}

TEST_CASE("long work is done in slices of about the allowed time") {
  Host host;
  std::vector<AddressChange> changes;
  for (int i = 0; i < 800; ++i)
    changes.push_back(host.adding("2001:db8::" + std::to_string(i + 1) + "/64", 60s));
  const std::span<const AddressChange> all(changes);
  std::size_t done = 0;
  int slices = 0;
  while (done < all.size()) {
    const auto results = netlink::apply(host.socket, all.subspan(done), 2ms);
    REQUIRE_FALSE(results.empty());
    for (const auto& result : results) CHECK(result);
    done += results.size();
    ++slices;
  }
  CHECK(slices > 5);  // the kernel needs 40 ms at least
  CHECK(output_of("ip -o addr show dev port7 | wc -l") == "800\n");
  CHECK(netlink::apply(host.socket, all, 0s).size() == 4);
}

TEST_CASE("an empty list of changes does nothing") {
  Host host;
  CHECK(netlink::apply(host.socket, {}).empty());
}

TEST_CASE("a request that the kernel does not know fails without affecting others") {
  Host host;
  std::vector<Request> requests;
  for (const int type : {int{RTM_GETLINK}, 0xfff, int{RTM_GETLINK}}) {
    Request request(static_cast<std::uint16_t>(type), 0);
    request.doing = "asking";
    ifinfomsg body{};
    body.ifi_index = static_cast<int>(host.index);
    request.body(body);
    requests.push_back(std::move(request));
  }
  const auto results = transact(host.socket, requests);
  CHECK(results[0]);
  REQUIRE_FALSE(results[1]);
  CHECK(results[1].error().message.starts_with("asking: Operation not supported"));
  CHECK(results[2]);
}

TEST_CASE("the other addresses of the interface show whether a network is connected without vipd") {
  Interface interface;
  const auto has = [&](const char* text, bool ours) {
    interface.addresses.push_back({prefix(text), false, false, ours});
  };
  const auto vip = prefix("192.0.2.10/24");
  CHECK_FALSE(is_connected(interface, vip, {}));
  has("192.0.2.10/24", true);
  has("192.0.2.11/24", true);
  CHECK_FALSE(is_connected(interface, vip, {}));
  has("192.0.2.12/24", false);  // ours on a kernel that keeps no marks
  const std::vector<Prefix> ours{vip, prefix("192.0.2.12/24")};
  CHECK_FALSE(is_connected(interface, vip, ours));
  CHECK(is_connected(interface, vip, {}));
  has("192.0.2.1/25", false);  // another route
  CHECK_FALSE(is_connected(interface, vip, ours));
  has("192.0.2.1/24", false);
  CHECK(is_connected(interface, vip, ours));
}
