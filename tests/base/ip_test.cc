#include "base/ip.h"

#include <doctest/doctest.h>

using namespace vipd;

namespace {
IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
}  // namespace

TEST_CASE("addresses are compared unsigned and in network byte order") {
  CHECK(ip("192.0.2.1") > ip("10.0.0.200"));
  CHECK(ip("200.0.0.1") > ip("9.0.0.1"));
  CHECK(ip("fe80::ff") > ip("fe80::1"));
}

TEST_CASE("addresses and prefixes are printed as they are read") {
  for (const char* text : {"192.0.2.1", "2001:db8::10", "fe80::1", "::"}) CHECK(to_string(ip(text)) == text);
  for (const char* text : {"192.0.2.1/24", "2001:db8::10/64"})
    CHECK(to_string(Prefix::parse(text).value()) == text);
  CHECK(to_string(Prefix::parse("192.0.2.1").value()) == "192.0.2.1/32");
  CHECK(to_string(MacAddress::parse("00:00:5e:00:01:33").value()) == "00:00:5e:00:01:33");
}

TEST_CASE("an invalid address, prefix or MAC address is rejected") {
  for (const char* text : {"", "192.0.2", "192.0.2.256", "192.0.2.1 ", "2001:db8::g", "fe80::1%eth0"})
    CHECK_FALSE(IpAddress::parse(text));
  for (const char* text : {"192.0.2.1/33", "192.0.2.1/0", "2001:db8::1/129", "192.0.2.1/", "192.0.2.1/2x"})
    CHECK_FALSE(Prefix::parse(text));
  for (const char* text : {"00:00:5e:00:01", "00:00:5e:00:01:33:44", "x"})
    CHECK(MacAddress::parse(text).error().message ==
          "\"" + std::string(text) + "\" is not a MAC address such as 02:00:00:00:00:01");
}

TEST_CASE("a prefix contains the addresses with its leading bits") {
  const auto net = Prefix::parse("192.0.2.10/23").value();
  CHECK(net.contains(ip("192.0.3.255")));
  CHECK_FALSE(net.contains(ip("192.0.4.0")));
  CHECK_FALSE(net.contains(ip("2001:db8::1")));
}
