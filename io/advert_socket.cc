#include "io/advert_socket.h"

#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "io/filter.h"
#include "io/socket_options.h"

namespace vipd::io {

namespace {

// The longest advertisement has 255 IPv6 addresses, followed by keepalived's 28 bytes of HMAC. An IPv4 header
// with options fits too.
constexpr std::size_t longest_message = 8 + 255 * 16 + 28;
constexpr std::size_t longest_datagram = 60 + longest_message;
constexpr std::size_t receive_batch_size = 64;
constexpr std::size_t most_datagrams_per_call = 1024;

struct ReceivedControl {
  alignas(cmsghdr) std::array<std::uint8_t, 128> bytes;
};

Result<> join_ipv4(int fd, std::uint32_t index) {
  ip_mreqn group{};
  std::memcpy(&group.imr_multiaddr, advert_group(Family::ipv4).octets.data(), 4);
  group.imr_ifindex = static_cast<int>(index);
  ip_mreqn interface{};
  interface.imr_ifindex = static_cast<int>(index);
  return SocketOptions(fd)
      // First, because its error is the clearest if the interface does not exist.
      .set(IPPROTO_IP, IP_ADD_MEMBERSHIP, group, "joining 224.0.0.18")
      .set(IPPROTO_IP, IP_MULTICAST_IF, interface, "setting the multicast interface")
      .set(IPPROTO_IP, IP_MULTICAST_ALL, 0, "restricting reception to the group")
      .done();
}

Result<> join_ipv6(int fd, std::uint32_t index) {
  ipv6_mreq group{};
  std::memcpy(&group.ipv6mr_multiaddr, advert_group(Family::ipv6).octets.data(), 16);
  group.ipv6mr_interface = index;
  return SocketOptions(fd)
      .set(IPPROTO_IPV6, IPV6_JOIN_GROUP, group, "joining ff02::12")
      .set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "enabling destination addresses")
      .set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "enabling hop limits")
      .set(IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(index), "setting the multicast interface")
      .set(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0, "restricting reception to the group")
      .done();
}

Result<Fd> open_socket(Family family, std::uint32_t index) {
  auto fd = TRY(open_advert_socket(family));
  SocketOptions options(fd.get());
  // By index, not by name: the interface may have been renamed since the caller looked it up.
  TRY_VOID(
      options.set(SOL_SOCKET, SO_BINDTOIFINDEX, static_cast<int>(index), "binding to the interface").done());
  const int buffer = 1 << 20;
  if (!options.wish(SOL_SOCKET, SO_RCVBUFFORCE, buffer)) options.wish(SOL_SOCKET, SO_RCVBUF, buffer);
  TRY_VOID(family == Family::ipv4 ? join_ipv4(fd.get(), index) : join_ipv6(fd.get(), index));
  TRY_VOID(set_advert_header(fd.get(), family));
  return fd;
}

Datagram parse_ipv6(const msghdr& header, std::span<const std::uint8_t> bytes) {
  Datagram datagram;
  datagram.payload = bytes;
  const auto& source = *static_cast<const sockaddr_in6*>(header.msg_name);
  datagram.source = IpAddress::from_bytes({source.sin6_addr.s6_addr, 16});
  datagram.destination.family = Family::ipv6;
  auto& mutable_header = const_cast<msghdr&>(header);
  for (auto* message = CMSG_FIRSTHDR(&header); message; message = CMSG_NXTHDR(&mutable_header, message)) {
    if (message->cmsg_level != IPPROTO_IPV6) continue;
    if (message->cmsg_type == IPV6_PKTINFO) {
      in6_pktinfo info{};
      std::memcpy(&info, CMSG_DATA(message), sizeof info);
      datagram.destination = IpAddress::from_bytes({info.ipi6_addr.s6_addr, 16});
    } else if (message->cmsg_type == IPV6_HOPLIMIT) {
      std::memcpy(&datagram.hop_limit, CMSG_DATA(message), sizeof datagram.hop_limit);
    }
  }
  return datagram;
}

}  // namespace

Datagram parse_ipv4(std::span<const std::uint8_t> packet) {
  Datagram datagram;
  if (packet.size() < sizeof(iphdr)) return datagram;
  iphdr header{};
  std::memcpy(&header, packet.data(), sizeof header);
  datagram.source = IpAddress::from_bytes(packet.subspan(12, 4));
  datagram.destination = IpAddress::from_bytes(packet.subspan(16, 4));
  datagram.hop_limit = header.ttl;
  datagram.payload = packet.subspan(std::min(std::size_t{header.ihl} * 4, packet.size()));
  return datagram;
}

Result<AdvertSocket> AdvertSocket::open(Family family, const std::string& interface, std::uint32_t index) {
  auto fd = open_socket(family, index);
  if (!fd)
    return tl::unexpected(std::move(fd).error().context("opening the " + std::string(to_string(family)) +
                                                        " advertisement socket on " + interface));
  return AdvertSocket(std::move(*fd), family, interface, index);
}

Result<> AdvertSocket::set_vrids(std::span<const std::uint8_t> vrids) {
  vrids_.assign(vrids.begin(), vrids.end());
  return apply_filter();
}

Result<> AdvertSocket::set_shield(std::optional<Shield> shield) {
  shield_ = std::move(shield);
  return apply_filter();
}

Result<> AdvertSocket::apply_filter() {
  std::vector<sock_filter> program;
  if (shield_) program = shield_filter(family_, *shield_);
  const auto by_vrid = vrid_filter(family_, vrids_);
  program.insert(program.end(), by_vrid.begin(), by_vrid.end());
  if (!attach_filter(fd_.get(), program))
    return system_failure("filtering the advertisements on " + interface_);
  return {};
}

Result<std::size_t> AdvertSocket::receive(const std::function<void(const Datagram&)>& received) {
  std::array<std::array<std::uint8_t, longest_datagram>, receive_batch_size> buffers;
  std::array<sockaddr_in6, receive_batch_size> sources;
  std::array<ReceivedControl, receive_batch_size> controls;
  std::array<iovec, receive_batch_size> data;
  std::array<mmsghdr, receive_batch_size> messages;

  std::size_t total = 0;
  while (total < most_datagrams_per_call) {
    for (std::size_t i = 0; i < receive_batch_size; ++i) {
      data[i] = {buffers[i].data(), buffers[i].size()};
      messages[i].msg_hdr = {
          &sources[i], sizeof sources[i], &data[i], 1, controls[i].bytes.data(), sizeof controls[i].bytes, 0};
    }
    const int count = recvmmsg(fd_.get(), messages.data(), messages.size(), MSG_DONTWAIT, nullptr);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0 && errno == EAGAIN) break;
    if (count < 0) return system_failure("receiving advertisements on " + interface_);
    for (int i = 0; i < count; ++i) {
      const auto& header = messages[i].msg_hdr;
      const std::span<const std::uint8_t> bytes(buffers[i].data(), messages[i].msg_len);
      auto datagram = family_ == Family::ipv4 ? parse_ipv4(bytes) : parse_ipv6(header, bytes);
      datagram.truncated = (header.msg_flags & MSG_TRUNC) != 0;
      received(datagram);
    }
    total += static_cast<std::size_t>(count);
    if (static_cast<std::size_t>(count) < receive_batch_size) break;
  }
  return total;
}

std::vector<int> AdvertSocket::send(std::span<const Outgoing> datagrams) {
  return send_adverts(fd_.get(), family_, index_, datagrams);
}

}  // namespace vipd::io
