// The codec against byte vectors that other programs made (RFC 9568 sections 5.1, 5.2, 7.1 and 8).
#include "vrrp/packet.h"

#include <doctest/doctest.h>

#include <set>

#include "tests/vrrp/bench.h"
#include "vrrp/arp.h"
#include "vrrp/checksum.h"
#include "vrrp/ndisc.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
Advertisement advertisement4(Priority priority, ChecksumForm form = ChecksumForm::rfc9568,
                             Centiseconds interval = Centiseconds{100}) {
  return {51, priority, interval, {ip("192.0.2.100")}, form, 0};
}

Bytes encoded4(const Advertisement& advertisement, std::string_view source = "192.0.2.1",
               std::string_view destination = "224.0.0.18") {
  return encode(advertisement, ip(source), ip(destination));
}

tl::expected<Advertisement, DecodeError> decoded(const Bytes& payload, std::string_view source = "192.0.2.2",
                                                 int hop_limit = 255, bool truncated = false) {
  const auto address = ip(source);
  return decode({address, multicast_group(address.family), hop_limit, payload, truncated});
}

// Puts the checksum right after a byte was changed, so that only the change is what is wrong.
Bytes with_right_checksum(Bytes bytes) {
  bytes[6] = bytes[7] = 0;
  const auto sum = Checksum().add(bytes).value();
  bytes[6] = static_cast<std::uint8_t>(sum >> 8);
  bytes[7] = static_cast<std::uint8_t>(sum);
  return bytes;
}

Bytes changed(const std::string& id, std::size_t index, std::uint8_t value) {
  auto bytes = vector(id);
  bytes[index] = value;
  return with_right_checksum(std::move(bytes));
}
}  // namespace

TEST_CASE("5.2 Encoding IPv4: every golden vector byte for byte, both checksum forms, both ways") {
  for (const int priority : {0, 1, 50, 99, 100, 101, 150, 200, 254, 255}) {
    CAPTURE(priority);
    for (const auto form : {ChecksumForm::rfc9568, ChecksumForm::pseudo_header}) {
      const auto id =
          "P4-" + std::to_string(priority) + (form == ChecksumForm::rfc9568 ? "-1-plain" : "-1-pseudo");
      const auto value = advertisement4(static_cast<Priority>(priority), form);
      CHECK(encoded4(value) == vector(id));
      CHECK(decoded(vector(id), "192.0.2.1").value() == value);
    }
  }
}

TEST_CASE("5.2.8 Checksum RFC 9568, IPv4: the sum does not depend on the source address") {
  const auto value = advertisement4(100);
  CHECK(encoded4(value, "192.0.2.1") == vector("P4-100-1-plain"));
  CHECK(encoded4(value, "192.0.2.2") == vector("P4-100-2-plain"));
  CHECK(encoded4(value, "192.0.2.3") == vector("P4-100-3-plain"));
}

TEST_CASE("RFC 5798 5.2.8 Checksum IPv4 with pseudo-header: the source enters the sum") {
  const auto value = advertisement4(100, ChecksumForm::pseudo_header);
  CHECK(encoded4(value, "192.0.2.2") == vector("P4-100-2-pseudo"));
  CHECK(encoded4(value, "192.0.2.3") == vector("P4-100-3-pseudo"));
}

TEST_CASE("RFC 5798 5.2.8 Checksum IPv4 with pseudo-header: a unicast destination enters the sum") {
  CHECK(encoded4(advertisement4(100, ChecksumForm::pseudo_header), "192.0.2.1", "192.0.2.2") ==
        vector("G17"));
}

TEST_CASE("5.2.7 Max Advertise Interval: 1 to 4095 cs, 12 bits, both ways") {
  for (const int interval : {1, 10, 50, 200, 4095}) {
    CAPTURE(interval);
    const auto id = "I4-" + std::to_string(interval);
    const auto value = advertisement4(150, ChecksumForm::rfc9568, Centiseconds{interval});
    CHECK(encoded4(value) == vector(id));
    CHECK(decoded(vector(id)).value() == value);
  }
  const auto longest = encoded4(advertisement4(150, ChecksumForm::rfc9568, longest_advertisement_interval));
  CHECK(longest[4] == 0x0f);
  CHECK(longest[5] == 0xff);
}

TEST_CASE("5.2.5 several addresses are carried in the order of the configuration") {
  Advertisement value{
      51, 255, Centiseconds{100}, {ip("192.0.2.100"), ip("192.0.2.101")}, ChecksumForm::rfc9568, 0};
  CHECK(encoded4(value) == vector("G4"));
  value.priority = 150;
  CHECK(encoded4(value) == vector("A4-2vips"));
  CHECK(decoded(vector("A4-2vips")).value().addresses == value.addresses);
}

TEST_CASE("5.2 Encoding: 255 addresses, the most there can be, survive the way out and back") {
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    Advertisement value{1, 1, Centiseconds{1}, {}, ChecksumForm::pseudo_header, 0};
    for (int i = 0; i < 255; ++i) {
      auto address = ip(family == Family::ipv4 ? "198.51.100.0" : "2001:db8::");
      address.octets[address.size() - 1] = static_cast<std::uint8_t>(i);
      value.addresses.push_back(address);
    }
    const auto source = ip(family == Family::ipv4 ? "192.0.2.1" : "fe80::1");
    const auto bytes = encode(value, source, multicast_group(family));
    CHECK(bytes.size() == (family == Family::ipv4 ? 1028 : 4088));
    CHECK(decoded(bytes, to_string(source)).value() == value);
  }
}

TEST_CASE("5.2.8 Checksum IPv6: RFC 8200 pseudo-header with next header 112") {
  Advertisement value{
      51, 100, Centiseconds{100}, {ip("fe80::51"), ip("2001:db8::64")}, ChecksumForm::pseudo_header, 0};
  CHECK(encoded4(value, "fe80::1", "ff02::12") == vector("G5"));
  CHECK(decoded(vector("G5"), "fe80::1").value() == value);
  for (const int priority : {0, 100, 150, 255}) {
    value.priority = static_cast<Priority>(priority);
    const auto id = "P6-" + std::to_string(priority);
    CHECK(encoded4(value, "fe80::2", "ff02::12") == vector(id));
    CHECK(decoded(vector(id), "fe80::2").value() == value);
  }
}

TEST_CASE("5.2.8 Checksum IPv6: the form without pseudo-header is wrong, whatever the configuration says") {
  auto bytes = with_right_checksum(vector("P6-150"));
  CHECK(decoded(bytes, "fe80::2").error() == DecodeError::checksum);
}

TEST_CASE("5.2.9 a message whose first IPv6 address is not link-local can be read (erratum 8300)") {
  CHECK(decoded(vector("G6"), "fe80::1").value().addresses.front() == ip("2001:db8::64"));
}

TEST_CASE("7.3 Virtual Router MAC addresses, and the groups of 5.1.1.2 and 5.1.2.2") {
  CHECK(to_string(virtual_router_mac(Family::ipv4, 51)) == "00:00:5e:00:01:33");
  CHECK(to_string(virtual_router_mac(Family::ipv6, 51)) == "00:00:5e:00:02:33");
  CHECK(to_string(multicast_group(Family::ipv4)) == "224.0.0.18");
  CHECK(to_string(multicast_group(Family::ipv6)) == "ff02::12");
}

TEST_CASE("7.1 whole frames: IPv4 and IPv6, with and without pseudo-header, are accepted") {
  for (const auto* id : {"F4-ok", "F4-ok-pseudo", "F6-ok"}) {
    CAPTURE(id);
    const auto packet = frame(vector(id));
    CHECK(packet.protocol == 112);
    const auto value = decode({packet.source, packet.destination, packet.hop_limit, packet.payload});
    REQUIRE(value);
    CHECK(value->vrid == 51);
    CHECK(value->priority == 150);
  }
}

TEST_CASE("RFC 791 an IPv4 header with options (IHL 6) is no obstacle") {
  const auto packet = frame(vector("F4-opts"));
  CHECK(decode({packet.source, packet.destination, packet.hop_limit, packet.payload}).value().priority ==
        150);
}

TEST_CASE("5.1.1.3, 5.1.2.3 a TTL or hop limit other than 255 is discarded") {
  for (const auto* id : {"F4-ttl254", "F6-hl64"}) {
    const auto packet = frame(vector(id));
    CHECK(decode({packet.source, packet.destination, packet.hop_limit, packet.payload}).error() ==
          DecodeError::hop_limit);
  }
  for (const int ttl : {0, 1, 64, 254})
    CHECK(decoded(vector("P4-150-1-plain"), "192.0.2.2", ttl).error() == DecodeError::hop_limit);
}

TEST_CASE("5.1.1.2 a message to another destination than the group is discarded") {
  for (const auto* destination : {"192.0.2.1", "224.0.0.1", "224.0.0.19", "255.255.255.255"})
    CHECK(decode({ip("192.0.2.2"), ip(destination), 255, vector("P4-150-1-plain")}).error() ==
          DecodeError::wrong_destination);
  CHECK(decode({ip("fe80::2"), ip("ff02::1"), 255, vector("P6-150")}).error() ==
        DecodeError::wrong_destination);
  CHECK(decode({ip("fe80::2"), ip("224.0.0.18"), 255, vector("P6-150")}).error() ==
        DecodeError::wrong_destination);
}

TEST_CASE("7.1 a message shorter than the header, 0 to 7 bytes, is discarded") {
  const auto whole = vector("P4-150-1-plain");
  for (std::size_t size = 0; size < 8; ++size)
    CHECK(decoded(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size))).error() ==
          DecodeError::length);
  CHECK(decoded(vector("B4-short7")).error() == DecodeError::length);
}

TEST_CASE("7.1 a message shorter than its count of addresses says is discarded, at every length") {
  CHECK(decoded(vector("G18")).error() == DecodeError::length);
  CHECK(decoded(vector("B4-255addr")).error() == DecodeError::length);
  for (const auto* id : {"A4-2vips", "P6-150"}) {
    const auto whole = vector(id);
    for (std::size_t size = 8; size < whole.size(); ++size)
      CHECK(decoded(Bytes(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)),
                    id[0] == 'P' ? "fe80::2" : "192.0.2.2")
                .error() == DecodeError::length);
  }
}

TEST_CASE("7.1 a message larger than any can be, cut off by the receiver, is discarded") {
  CHECK(decoded(vector("P4-150-1-plain"), "192.0.2.2", 255, true).error() == DecodeError::length);
}

TEST_CASE("7.1 versions other than 3 are discarded: 0, 1, 2, 4 to 15") {
  CHECK(decoded(vector("G11")).error() == DecodeError::version);
  for (std::uint8_t version = 0; version < 16; ++version)
    if (version != 3)
      CHECK(decoded(changed("P4-150-1-plain", 0, static_cast<std::uint8_t>(version << 4 | 1))).error() ==
            DecodeError::version);
  for (const auto* id : {"G14", "G15", "G16", "V4-v2in3"})
    CHECK(decoded(vector(id)).error() == DecodeError::version);
}

TEST_CASE("5.2.2 types other than ADVERTISEMENT are discarded: 0, 2 to 15") {
  CHECK(decoded(vector("G10")).error() == DecodeError::type);
  for (std::uint8_t type = 0; type < 16; ++type)
    if (type != 1)
      CHECK(decoded(changed("P4-150-1-plain", 0, static_cast<std::uint8_t>(0x30 | type))).error() ==
            DecodeError::type);
}

TEST_CASE("5.2.5 a message without an address is discarded") {
  CHECK(decoded(vector("G8")).error() == DecodeError::address_count);
}

TEST_CASE("5.2.8 a checksum that is wrong under both rules is discarded") {
  CHECK(decoded(vector("B4-badck")).error() == DecodeError::checksum);
}

TEST_CASE("7.1 surplus bytes are accepted and counted, whether the sender has summed them or not") {
  CHECK(decoded(vector("A4-trail")).value().trailing == 4);
  auto not_summed = vector("P4-150-1-plain");
  not_summed.insert(not_summed.end(), {0xde, 0xad, 0xbe, 0xef});
  CHECK(decoded(not_summed).value().trailing == 4);
  CHECK(decoded(with_right_checksum(not_summed)).value().trailing == 4);
}

TEST_CASE("5.2.6 the reserved bits are ignored: the interval is 100, not 61540") {
  CHECK(decoded(vector("G9")).value().interval == Centiseconds{100});
}

TEST_CASE("5.2.7 an interval of zero is discarded (erratum 8301)") {
  CHECK(decoded(vector("I4-0")).error() == DecodeError::interval);
  CHECK(decoded(vector("G7")).error() == DecodeError::interval);
}

TEST_CASE("5.1.2.1 an IPv6 source that is not link-local is discarded: it decides ties") {
  const auto packet = frame(vector("F6-gsrc"));
  CHECK(decode({packet.source, packet.destination, packet.hop_limit, packet.payload}).error() ==
        DecodeError::source);
}

TEST_CASE("5.1.1.1 an IPv4 source that no router can have is discarded: it decides ties") {
  for (const auto* source : {"0.0.0.0", "224.0.0.18", "239.1.2.3", "255.255.255.255", "127.0.0.1"})
    CHECK(decoded(vector("P4-150-1-plain"), source).error() == DecodeError::source);
}

TEST_CASE("each reason for a discard has a name and a description of its own") {
  std::set<std::string_view> names;
  for (std::size_t i = 0; i < decode_error_count; ++i) {
    names.insert(to_string(static_cast<DecodeError>(i)));
    CHECK_FALSE(describe(static_cast<DecodeError>(i)).empty());
  }
  CHECK(names.size() == decode_error_count);
}

TEST_CASE(
    "6.4.2, 8.1.2 Gratuitous ARP: sender and target are the address, the target's MAC is the sender's") {
  CHECK(gratuitous_arp(mac("00:00:5e:00:01:33"), ip("192.0.2.100")) == vector("ARP-garp-vmac"));
}

TEST_CASE(
    "6.4.2, 8.2.2 Unsolicited NA: Router and Override, not Solicited, with the target link-layer address") {
  const auto vmac = mac("00:00:5e:00:02:33");
  CHECK(unsolicited_neighbor_advertisement(vmac, ip("fe80::51"), ip("2001:db8::64")) == vector("NA-gl"));
  CHECK(unsolicited_neighbor_advertisement(vmac, ip("fe80::51"), ip("fe80::51")) == vector("NA-ll"));
  CHECK(vector("NA-gl")[14 + 40 + 4] == 0xa0);
}

TEST_CASE(
    "RFC 1071 the checksum of an odd number of bytes pads with zero, and carries fold until none is left") {
  CHECK(Checksum().add(Bytes{0x01}).value() == 0xfeff);
  CHECK(Checksum().add(Bytes(65535, 0xff)).value() == static_cast<std::uint16_t>(~0xff00u));
  CHECK(Checksum().add(Bytes{0xff, 0xff, 0xff, 0xff, 0x00, 0x01}).value() == 0xfffe);
  CHECK(Checksum().add(Bytes{0xff, 0xff}).add(Bytes{0x00, 0x01}).value() == 0xfffe);
}
