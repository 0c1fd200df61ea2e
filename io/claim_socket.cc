#include "io/claim_socket.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <netinet/icmp6.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <vector>

#include "io/claim.h"
#include "io/filter.h"

namespace vipd::io {

namespace {
constexpr int most_claims_per_call = 64;
constexpr int receive_buffer = 1 << 16;  // a few dozen claims

Result<Fd> open_arp(std::uint32_t index) {
  Fd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_failure("creating a packet socket");
  // No packet passes until the addresses are known.
  const std::array nothing{statement(BPF_RET | BPF_K, 0)};
  if (!attach_filter(fd.get(), nothing)) return system_failure("filtering ARP");
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = htons(ETH_P_ARP);
  where.sll_ifindex = static_cast<int>(index);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0)
    return system_failure("binding to the interface");
  return fd;
}

Result<Fd> open_icmpv6(std::uint32_t index) {
  Fd fd(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6));
  if (!fd) return system_failure("creating an ICMPv6 socket");
  icmp6_filter types;
  ICMP6_FILTER_SETBLOCKALL(&types);
  if (setsockopt(fd.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &types, sizeof types) != 0)
    return system_failure("filtering ICMPv6");
  const int interface = static_cast<int>(index);
  if (setsockopt(fd.get(), SOL_SOCKET, SO_BINDTOIFINDEX, &interface, sizeof interface) != 0)
    return system_failure("binding to the interface");
  return fd;
}

// One bit for each value of the last byte of an address.
using Bitmap = std::array<std::uint32_t, 8>;

std::vector<sock_filter> claim_filter(Family family, const Bitmap& bitmap) {
  std::vector<sock_filter> program;
  const auto add = [&](auto... each) { (program.push_back(each), ...); };
  const auto drop = statement(BPF_RET | BPF_K, 0);
  if (family == Family::ipv4)
    // IPv4 over Ethernet: the packet begins with its ARP header.
    add(statement(BPF_LD | BPF_W | BPF_ABS, 2),
        jump(BPF_JMP | BPF_JEQ | BPF_K, ETH_P_IP << 16 | 0x0604, 1, 0), drop,
        statement(BPF_LD | BPF_B | BPF_ABS, arp_sender_ip + 3));
  else
    // Accept only messages from neighbours: no router has decremented the hop limit in their IPv6 header.
    add(statement(BPF_LD | BPF_B | BPF_ABS, static_cast<std::uint32_t>(SKF_NET_OFF) + 7),
        jump(BPF_JMP | BPF_JEQ | BPF_K, 255, 1, 0), drop,
        statement(BPF_LD | BPF_B | BPF_ABS, na_target + 15));
  append_bitmap_lookup(program, bitmap);
  return program;
}
}  // namespace

Result<ClaimSocket> ClaimSocket::open(Family family, const std::string& interface, std::uint32_t index) {
  auto fd = family == Family::ipv4 ? open_arp(index) : open_icmpv6(index);
  if (!fd)
    return tl::unexpected(std::move(fd).error().context(
        "listening for claims of " + std::string(to_string(family)) + " addresses on " + interface));
  setsockopt(fd->get(), SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
  return ClaimSocket(std::move(*fd), family, interface, index);
}

Result<> ClaimSocket::set_addresses(std::set<IpAddress> addresses) {
  std::erase_if(addresses, [this](const IpAddress& each) { return each.family != family_; });
  if (addresses == addresses_) return {};
  addresses_ = std::move(addresses);
  return apply_filter();
}

Result<> ClaimSocket::apply_filter() {
  Bitmap bitmap{};
  for (const auto& address : addresses_) {
    const auto last = address.bytes().back();
    bitmap[last / 32] |= std::uint32_t{1} << (last % 32);
  }
  if (!attach_filter(fd_.get(), claim_filter(family_, bitmap)))
    return system_failure("filtering claims of addresses on " + interface_);
  if (family_ == Family::ipv4) return {};
  icmp6_filter types;
  ICMP6_FILTER_SETBLOCKALL(&types);
  ICMP6_FILTER_SETPASS(ND_NEIGHBOR_ADVERT, &types);
  if (setsockopt(fd_.get(), IPPROTO_ICMPV6, ICMP6_FILTER, &types, sizeof types) != 0)
    return system_failure("filtering ICMPv6 on " + interface_);
  return {};
}

void ClaimSocket::receive(
    const std::function<void(const IpAddress& address, const MacAddress& mac)>& claimed) {
  std::array<std::uint8_t, 256> buffer;
  for (int i = 0; i < most_claims_per_call; ++i) {
    const auto size = recv(fd_.get(), buffer.data(), buffer.size(), MSG_DONTWAIT);
    if (size < 0) return;  // no more packets, or the interface is gone, which netlink reports
    const std::span<const std::uint8_t> packet(buffer.data(), static_cast<std::size_t>(size));
    const auto claim = family_ == Family::ipv4 ? parse_arp(packet) : parse_neighbor_advertisement(packet);
    if (claim && addresses_.contains(claim->address)) claimed(claim->address, claim->mac);
  }
}

}  // namespace vipd::io
