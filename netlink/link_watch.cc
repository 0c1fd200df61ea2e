#include "netlink/link_watch.h"

#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include <utility>

namespace vipd::netlink {

namespace {

constexpr int most_events_per_call = 1024;
constexpr int most_discarded = 100'000;
constexpr Duration longest_dump = std::chrono::seconds(2);

Request dump_links() {
  Request request(RTM_GETLINK, 0);
  request.doing = "reading the network interfaces";
  request.body(ifinfomsg{});
  request.put_u32(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
  return request;
}

// index: one interface, or 0 for all.
Request dump_addresses(Family family, std::uint32_t index = 0) {
  Request request(RTM_GETADDR, 0);
  request.doing = "reading the addresses";
  ifaddrmsg body{};
  body.ifa_family = family == Family::ipv4 ? AF_INET : AF_INET6;
  body.ifa_index = index;
  request.body(body);
  return request;
}

}  // namespace

Result<LinkWatch> LinkWatch::open(std::size_t receive_buffer) {
  auto events = TRY(Socket::open(NETLINK_ROUTE, receive_buffer));
  for (const unsigned group : {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR, RTNLGRP_IPV6_IFADDR})
    TRY_VOID(events.join(group));
  return LinkWatch(std::move(events), TRY(Socket::open(NETLINK_ROUTE)));
}

// --- reading everything -----------------------------------------------------------------------------------

// Queued events are older than the dump that follows, so they are dropped. Events that arrive during the dump
// are applied afterwards: the last event of each object has its state.
void LinkWatch::discard_events() {
  for (int i = 0; i < most_discarded; ++i)
    if (const auto datagram = events_.receive(at_once); !datagram && datagram.error().code == ETIMEDOUT)
      return;
}

Result<> LinkWatch::read_links() {
  auto request = dump_links();
  return requests_.dump(
      request, [this] { table_.forget_links(); }, [this](const nlmsghdr& each) { table_.take(each); },
      longest_dump);
}

Result<> LinkWatch::read_addresses(Family family) {
  auto request = dump_addresses(family);
  return requests_.dump(
      request, [this, family] { table_.forget_addresses(family); },
      [this](const nlmsghdr& each) { table_.take(each); }, longest_dump);
}

Result<> LinkWatch::read_all() {
  TRY_VOID(read_links());
  TRY_VOID(read_addresses(Family::ipv4));
  return read_addresses(Family::ipv6);
}

Result<> LinkWatch::refresh(const Changed& changed) {
  stale_ = true;
  discard_events();
  auto before = table_.take_links();
  if (auto result = read_all(); !result) {
    table_.put_back(std::move(before));
    return result;
  }
  stale_ = false;
  table_.everything_changed();
  table_.tell(changed);
  return {};
}

// --- events -----------------------------------------------------------------------------------------------

Result<> LinkWatch::receive(const Changed& changed) {
  for (int count = 0; count < most_events_per_call && !stale_; ++count) {
    const auto datagram = events_.receive(at_once);
    if (datagram) {
      table_.take_datagram(*datagram);
      continue;
    }
    if (datagram.error().code == ETIMEDOUT) break;
    if (datagram.error().code != ENOBUFS && datagram.error().code != EMSGSIZE)
      return tl::unexpected(datagram.error());
    ++overruns_;
    stale_ = true;
  }
  if (stale_) return refresh(changed);
  look_for_tentative();
  table_.tell(changed);
  return {};
}

// When a link starts running, the kernel adds a link-local address but sends an event only after duplicate
// address detection. Until then, reading the addresses shows that it is tentative.
void LinkWatch::look_for_tentative() {
  for (const auto index : table_.take_started()) {
    auto request = dump_addresses(Family::ipv6, index);
    // A failure is harmless: the link has gone, or the event follows within a second.
    static_cast<void>(
        requests_.dump(request, [] {}, [this](const nlmsghdr& each) { table_.take(each); }, longest_dump));
  }
}

Interface LinkWatch::snapshot(const std::string& name) const {
  return table_.snapshot(name);
}

}  // namespace vipd::netlink
