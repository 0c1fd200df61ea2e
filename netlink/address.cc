#include "netlink/address.h"

#include <linux/if_addr.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>

namespace vipd::netlink {

namespace {

constexpr std::uint32_t for_ever = 0xffffffff;  // INFINITY_LIFE_TIME

ifa_cacheinfo lifetimes(const AddressChange& change) {
  ifa_cacheinfo info{};
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(change.valid).count();
  info.ifa_valid = change.valid == Duration::zero()
                       ? for_ever
                       : static_cast<std::uint32_t>(std::clamp<std::int64_t>(seconds, 1, for_ever - 1));
  // Source address selection of IPv6 considers all addresses. The virtual address must not become the source
  // of this host's own connections, because it may move to another host during them. (For IPv4 the kernel
  // prefers the host's own address already.)
  info.ifa_prefered = change.prefix.address.family == Family::ipv6 ? 0 : info.ifa_valid;
  return info;
}

Request request_for(const AddressChange& change) {
  const auto& address = change.prefix.address;
  ifaddrmsg body{};
  body.ifa_family = address.family == Family::ipv4 ? AF_INET : AF_INET6;
  body.ifa_prefixlen = change.prefix.length;
  body.ifa_scope = address.is_loopback() ? RT_SCOPE_HOST : RT_SCOPE_UNIVERSE;
  body.ifa_index = change.interface_index;

  Request request(change.add ? RTM_NEWADDR : RTM_DELADDR, change.add ? NLM_F_CREATE | NLM_F_REPLACE : 0);
  request.body(body);
  request.put(IFA_LOCAL, address.bytes());
  request.put(IFA_ADDRESS, address.bytes());
  if (!change.add) return request;

  std::uint32_t flags = address.family == Family::ipv6 ? IFA_F_NODAD : 0;
  if (change.no_prefix_route) flags |= IFA_F_NOPREFIXROUTE;
  request.put_u32(IFA_FLAGS, flags);
  request.put_struct(IFA_CACHEINFO, lifetimes(change));
  request.put_u8(IFA_PROTO, address_protocol);
  if (address.family == Family::ipv4 && !change.label.empty()) request.put_text(IFA_LABEL, change.label);
  return request;
}

// Looked up only for error messages: a request needs only the index.
std::string interface_name(std::uint32_t index) {
  std::array<char, IF_NAMESIZE> name{};
  return if_indextoname(index, name.data()) ? name.data() : "interface " + std::to_string(index);
}

// Whether the kernel's error can be ignored: an address that does not exist, or whose interface does not,
// counts as removed.
bool already_so(const AddressChange& change, int code) {
  return !change.add && (code == EADDRNOTAVAIL || code == ENODEV);
}

bool same_network(const Prefix& a, const Prefix& b) {
  return a.length == b.length && a.contains(b.address);
}

}  // namespace

std::vector<Result<>> apply(Socket& socket, std::span<const AddressChange> changes, Duration budget) {
  std::vector<Request> requests;
  requests.reserve(changes.size());
  for (const auto& change : changes) requests.push_back(request_for(change));
  auto results = transact(socket, requests, budget);
  for (std::size_t i = 0; i < results.size(); ++i) {
    if (results[i]) continue;
    const auto& change = changes[i];
    if (already_so(change, results[i].error().code)) {
      results[i] = {};
      continue;
    }
    const auto doing = (change.add ? "adding " : "removing ") + to_string(change.prefix) +
                       (change.add ? " to " : " from ") + interface_name(change.interface_index);
    results[i].error().message = doing + results[i].error().message;
  }
  return results;
}

bool is_connected(const Interface& interface, const Prefix& prefix, std::span<const Prefix> ours) {
  return std::any_of(interface.addresses.begin(), interface.addresses.end(),
                     [&](const InterfaceAddress& each) {
                       return !each.ours && same_network(each.prefix, prefix) &&
                              std::find(ours.begin(), ours.end(), each.prefix) == ours.end();
                     });
}

}  // namespace vipd::netlink
