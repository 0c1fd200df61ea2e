// What comes out of the kernel's sockets besides VRRP messages: IP headers, ARP and Neighbor Advertisements
// as some host on the link has made them, and netlink messages.
//
// The first byte of an input says which: '4' a packet with its IPv4 header, 'a' an ARP packet, 'n' a Neighbor
// Advertisement, anything else a datagram of netlink messages.
#include <linux/netlink.h>

#include <cassert>
#include <cstdint>
#include <cstring>
#include <map>
#include <vector>

#include "io/advert_socket.h"
#include "io/claim.h"
#include "netlink/attribute.h"
#include "netlink/filter.h"
#include "netlink/link_table.h"
#include "netlink/socket.h"

using namespace vipd;

namespace {
using Bytes = std::span<const std::uint8_t>;

bool lies_in(Bytes inner, Bytes outer) {
  return inner.empty() ||
         (inner.data() >= outer.data() && inner.data() + inner.size() <= outer.data() + outer.size());
}

void take_packet(Bytes packet) {
  const auto datagram = io::parse_ipv4(packet);
  assert(lies_in(datagram.payload, packet));
  assert(datagram.source.family == Family::ipv4 && datagram.hop_limit >= 0 && datagram.hop_limit <= 255);
}

void take_claim(const std::optional<io::Claim>& claim, Family family) {
  if (claim) assert(claim->address.family == family);
}

// One interface of each name: then the reported changes equal the content of the table.
bool names_are_unique(const std::map<std::string, Interface>& told, const netlink::LinkTable& table) {
  for (const auto& [name, interface] : told)
    if (table.snapshot(name).index != interface.index) return false;
  return true;
}

void take_events(Bytes datagram) {
  netlink::LinkTable table;
  std::map<std::string, Interface> told;
  const auto tell = [&] {
    table.tell([&](const Interface& interface) {
      told[interface.name] = interface;
      for (const auto& each : interface.addresses)
        assert(each.prefix.length <= 8 * each.prefix.address.size());
    });
  };
  // As it comes, message by message; and twice, as after lost events.
  netlink::for_each_message(datagram, [&](const nlmsghdr& message) {
    table.take(message);
    tell();
  });
  table.tell([](const Interface&) { assert(false); });
  if (names_are_unique(told, table))
    for (const auto& [name, interface] : told) assert(table.snapshot(name) == interface);
  const auto before = table.take_links();
  table.take_datagram(datagram);
  table.forget_addresses(Family::ipv4);
  table.everything_changed();
  tell();
  table.put_back(before);
  table.everything_changed();
  tell();
  if (names_are_unique(told, table))
    for (const auto& [name, interface] : told) assert(table.snapshot(name) == interface);
}

void take_answers(const nlmsghdr& message) {
  const auto verdict = netlink::verdict_of(message);
  const auto failure = netlink::verdict_failure("asking the kernel", verdict);
  assert(failure.value().message.starts_with("asking the kernel: "));
  const auto payload = mnl_nlmsg_get_payload_len(&message);
  assert(verdict.words.size() <= payload);
  if (const auto filter = netlink::parse_filter(message))
    assert(filter->kind.size() + filter->name.size() <= payload && filter->handle != 0);
  if (const auto qdisc = netlink::parse_filter_qdisc(message)) assert(qdisc->second.size() <= payload);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  // Aligned as the kernel's answers are.
  const std::vector<std::uint8_t> bytes(data + 1, data + size);
  switch (data[0]) {
    case '4': take_packet(bytes); break;
    case 'a': take_claim(io::parse_arp(bytes), Family::ipv4); break;
    case 'n': take_claim(io::parse_neighbor_advertisement(bytes), Family::ipv6); break;
    default: netlink::for_each_message(bytes, take_answers); take_events(bytes);
  }
  return 0;
}
