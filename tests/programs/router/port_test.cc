// The sockets that a router needs, by the configuration and by what still runs.
#include "programs/router/port.h"

#include <doctest/doctest.h>

#include <string>
#include <vector>

using namespace vipd;
using namespace vipd::programs;

namespace {
vrrp::VirtualRouterConfig router(const std::string& interface, vrrp::Vrid vrid, const std::string& address) {
  vrrp::VirtualRouterConfig config;
  const auto prefix = Prefix::parse(address).value();
  config.key = {interface, vrid, prefix.address.family};
  config.addresses = {prefix};
  return config;
}

// An interface of every name, with an address of the host, one of ours, and one that an operator has added.
Interface kernel(const std::string& name) {
  Interface interface;
  interface.name = name;
  interface.index = 7;
  for (const auto* address : {"192.0.2.1/24", "192.0.2.10/24", "192.0.2.99/24"})
    interface.addresses.push_back({.prefix = Prefix::parse(address).value()});
  interface.addresses[1].ours = true;
  return interface;
}

using Vrids = std::vector<std::uint8_t>;
}  // namespace

TEST_CASE("ports: one for each interface, with the virtual routers of each family") {
  const auto ports = ports_of({router("eth0", 1, "192.0.2.10/24"), router("eth0", 2, "192.0.2.11/24"),
                               router("eth0", 2, "2001:db8::1/64"), router("eth1", 1, "198.51.100.1/24")},
                              {}, kernel);
  REQUIRE(ports.size() == 2);
  CHECK(ports.at("eth0").vrids.at(Family::ipv4) == Vrids{1, 2});
  CHECK(ports.at("eth0").vrids.at(Family::ipv6) == Vrids{2});
  CHECK(ports.at("eth1").vrids.at(Family::ipv4) == Vrids{1});
  CHECK_FALSE(ports.at("eth1").receives(Family::ipv6));
}

TEST_CASE("ports: a virtual router that a reload has removed keeps its socket while it hands over") {
  vrrp::RouterStatus leaving;
  leaving.config = router("eth1", 9, "198.51.100.1/24");
  const auto ports = ports_of({router("eth0", 1, "192.0.2.10/24")}, {leaving}, kernel);
  CHECK(ports.at("eth1").receives(Family::ipv4));
}

TEST_CASE("ports: a virtual router that is configured and runs is received for once") {
  vrrp::RouterStatus running;
  running.config = router("eth0", 1, "192.0.2.10/24");
  CHECK(ports_of({running.config}, {running}, kernel).at("eth0").vrids.at(Family::ipv4) == Vrids{1});
}

TEST_CASE("ports: a virtual address is never the host's own, even if another program has added it") {
  const auto ports = ports_of({router("eth0", 1, "192.0.2.99/24")}, {}, kernel);
  const auto& addresses = ports.at("eth0").interface.addresses;
  REQUIRE(addresses.size() == 1);
  CHECK(to_string(addresses[0].prefix) == "192.0.2.1/24");
}

TEST_CASE(
    "ports: a socket is current until its interface is made anew, or its family is not needed any more") {
  const auto ports = ports_of({router("eth0", 1, "192.0.2.10/24")}, {}, kernel);
  CHECK(is_current(ports, {"eth0", Family::ipv4}, 7));
  CHECK_FALSE(is_current(ports, {"eth0", Family::ipv4}, 6));
  CHECK_FALSE(is_current(ports, {"eth0", Family::ipv6}, 7));
  CHECK_FALSE(is_current(ports, {"eth1", Family::ipv4}, 7));
  CHECK(index_of(ports, "eth0") == 7);
  CHECK(index_of(ports, "eth1") == 0);
}
