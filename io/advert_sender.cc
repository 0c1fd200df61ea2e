#include "io/advert_sender.h"

#include <linux/pkt_sched.h>
#include <netinet/in.h>

#include <array>
#include <cstring>

#include "io/batch_send.h"
#include "io/filter.h"
#include "io/socket_options.h"

namespace vipd::io {

namespace {

constexpr int vrrp_protocol = 112;
constexpr int traffic_class = 0xc0;  // DSCP CS6: internetwork control

sockaddr_storage socket_address(const IpAddress& address, std::uint32_t index) {
  sockaddr_storage storage{};
  if (address.family == Family::ipv4) {
    auto& ipv4 = reinterpret_cast<sockaddr_in&>(storage);
    ipv4.sin_family = AF_INET;
    std::memcpy(&ipv4.sin_addr, address.octets.data(), 4);
  } else {
    auto& ipv6 = reinterpret_cast<sockaddr_in6&>(storage);
    ipv6.sin6_family = AF_INET6;
    std::memcpy(&ipv6.sin6_addr, address.octets.data(), 16);
    if (address.is_link_local() || address.is_multicast()) ipv6.sin6_scope_id = index;
  }
  return storage;
}

struct Control {
  alignas(cmsghdr) std::array<std::uint8_t, 64> bytes;
};

// The ancillary data that sets the source address and the interface to send from.
void name_source(msghdr& header, Control& control, const IpAddress& source, std::uint32_t index) {
  control.bytes.fill(0);
  header.msg_control = control.bytes.data();
  header.msg_controllen = control.bytes.size();
  auto* message = CMSG_FIRSTHDR(&header);
  if (source.family == Family::ipv4) {
    in_pktinfo info{};
    info.ipi_ifindex = static_cast<int>(index);
    std::memcpy(&info.ipi_spec_dst, source.octets.data(), 4);
    *message = {CMSG_LEN(sizeof info), IPPROTO_IP, IP_PKTINFO};
    std::memcpy(CMSG_DATA(message), &info, sizeof info);
    header.msg_controllen = CMSG_SPACE(sizeof info);
  } else {
    in6_pktinfo info{};
    info.ipi6_ifindex = index;
    std::memcpy(&info.ipi6_addr, source.octets.data(), 16);
    *message = {CMSG_LEN(sizeof info), IPPROTO_IPV6, IPV6_PKTINFO};
    std::memcpy(CMSG_DATA(message), &info, sizeof info);
    header.msg_controllen = CMSG_SPACE(sizeof info);
  }
}

}  // namespace

IpAddress advert_group(Family family) {
  if (family == Family::ipv4) return IpAddress::from_bytes(std::array<std::uint8_t, 4>{224, 0, 0, 18});
  return IpAddress::from_bytes(
      std::array<std::uint8_t, 16>{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12});
}

Result<Fd> open_advert_socket(Family family) {
  Fd fd(::socket(family == Family::ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                 vrrp_protocol));
  if (!fd) return system_failure("creating a raw socket");
  return fd;
}

Result<> set_advert_header(int fd, Family family) {
  SocketOptions options(fd);
  if (family == Family::ipv4)
    options.set(IPPROTO_IP, IP_MULTICAST_TTL, advert_hop_limit, "setting the multicast TTL")
        .set(IPPROTO_IP, IP_TTL, advert_hop_limit, "setting the TTL")
        .set(IPPROTO_IP, IP_MULTICAST_LOOP, 0, "disabling multicast loopback")
        .set(IPPROTO_IP, IP_TOS, traffic_class, "setting the traffic class");
  else
    // The kernel would drop wrong checksums silently, but vipd counts them.
    options.set(IPPROTO_IPV6, IPV6_CHECKSUM, -1, "disabling the kernel's checksum")
        .set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, advert_hop_limit, "setting the multicast hop limit")
        .set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, advert_hop_limit, "setting the hop limit")
        .set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, "disabling multicast loopback")
        .set(IPPROTO_IPV6, IPV6_TCLASS, traffic_class, "setting the traffic class");
  // After the traffic class, because setting that also changes the priority.
  if (!options.wish(SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL))
    options.wish(SOL_SOCKET, SO_PRIORITY, TC_PRIO_INTERACTIVE);
  return options.done();
}

std::vector<int> send_adverts(int fd, Family family, std::uint32_t interface_index,
                              std::span<const Outgoing> datagrams) {
  std::array<sockaddr_storage, send_batch_size> destinations;
  std::array<Control, send_batch_size> controls;
  return send_in_batches(
      fd, datagrams.size(), [&](std::size_t slot, std::size_t i, msghdr& header, iovec& data) {
        const auto& datagram = datagrams[i];
        destinations[slot] = socket_address(datagram.destination, interface_index);
        header.msg_name = &destinations[slot];
        header.msg_namelen = family == Family::ipv4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        name_source(header, controls[slot], datagram.source, interface_index);
        data = {const_cast<std::uint8_t*>(datagram.payload.data()), datagram.payload.size()};
      });
}

Result<AdvertSender> AdvertSender::open(Family family) {
  auto fd = TRY(open_advert_socket(family));
  const auto nothing = statement(BPF_RET | BPF_K, 0);
  if (!attach_filter(fd.get(), {&nothing, 1})) return system_failure("blocking incoming packets");
  TRY_VOID(set_advert_header(fd.get(), family));
  return AdvertSender(std::move(fd), family);
}

std::vector<int> AdvertSender::send(std::uint32_t interface_index, std::span<const Outgoing> datagrams) {
  return send_adverts(fd_.get(), family_, interface_index, datagrams);
}

}  // namespace vipd::io
