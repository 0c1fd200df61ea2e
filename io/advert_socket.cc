#include "io/advert_socket.h"

#include <linux/pkt_sched.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "io/batch_send.h"
#include "io/filter.h"

namespace vipd::io {

namespace {

constexpr int vrrp_protocol = 112;
constexpr int traffic_class = 0xc0;  // DSCP CS6: internetwork control
constexpr int hop_limit = 255;
// The longest advertisement is 255 IPv6 addresses with keepalived's 28 bytes of HMAC behind them; an IPv4
// header with options fits as well.
constexpr std::size_t longest_message = 8 + 255 * 16 + 28;
constexpr std::size_t longest_datagram = 60 + longest_message;
constexpr std::size_t receive_batch_size = 64;
constexpr std::size_t most_per_call = 1024;

// Collects the first failure of a row of setsockopt calls.
class Options {
 public:
  explicit Options(int fd) : fd_(fd) {}
  template <class T>
  Options& set(int level, int option, const T& value, const char* name) {
    if (!failed_ && setsockopt(fd_, level, option, &value, sizeof value) != 0) {
      failed_ = name;
      code_ = errno;
    }
    return *this;
  }
  // A wish: refused where we lack the right or the kernel the option.
  template <class T>
  bool wish(int level, int option, const T& value) {
    return setsockopt(fd_, level, option, &value, sizeof value) == 0;
  }
  Result<> done() const {
    if (failed_) return system_failure(failed_, code_);
    return {};
  }

 private:
  int fd_;
  const char* failed_ = nullptr;
  int code_ = 0;
};

Result<> configure_ipv4(int fd, std::uint32_t index) {
  ip_mreqn group{};
  std::memcpy(&group.imr_multiaddr, advert_group(Family::ipv4).octets.data(), 4);
  group.imr_ifindex = static_cast<int>(index);
  ip_mreqn interface{};
  interface.imr_ifindex = static_cast<int>(index);
  return Options(fd)
      .set(IPPROTO_IP, IP_ADD_MEMBERSHIP, group,
           "joining 224.0.0.18")  // first: it says best that there is no interface
      .set(IPPROTO_IP, IP_MULTICAST_IF, interface, "choosing the interface for multicast")
      .set(IPPROTO_IP, IP_MULTICAST_TTL, hop_limit, "setting the multicast TTL")
      .set(IPPROTO_IP, IP_TTL, hop_limit, "setting the TTL")
      .set(IPPROTO_IP, IP_MULTICAST_LOOP, 0, "not hearing ourselves")
      .set(IPPROTO_IP, IP_MULTICAST_ALL, 0, "hearing our group only")
      .set(IPPROTO_IP, IP_TOS, traffic_class, "setting the traffic class")
      .done();
}

Result<> configure_ipv6(int fd, std::uint32_t index) {
  ipv6_mreq group{};
  std::memcpy(&group.ipv6mr_multiaddr, advert_group(Family::ipv6).octets.data(), 16);
  group.ipv6mr_interface = index;
  return Options(fd)
      .set(IPPROTO_IPV6, IPV6_JOIN_GROUP, group, "joining ff02::12")
      // The kernel would drop wrong checksums in silence: they shall be counted.
      .set(IPPROTO_IPV6, IPV6_CHECKSUM, -1, "leaving the checksum to us")
      .set(IPPROTO_IPV6, IPV6_RECVPKTINFO, 1, "asking for destination addresses")
      .set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1, "asking for hop limits")
      .set(IPPROTO_IPV6, IPV6_MULTICAST_IF, static_cast<int>(index), "choosing the interface for multicast")
      .set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, hop_limit, "setting the multicast hop limit")
      .set(IPPROTO_IPV6, IPV6_UNICAST_HOPS, hop_limit, "setting the hop limit")
      .set(IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0, "not hearing ourselves")
      .set(IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0, "hearing our group only")
      .set(IPPROTO_IPV6, IPV6_TCLASS, traffic_class, "setting the traffic class")
      .done();
}

Result<Fd> open_socket(Family family, std::uint32_t index) {
  Fd fd(::socket(family == Family::ipv4 ? AF_INET : AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
                 vrrp_protocol));
  if (!fd) return system_failure("creating a raw socket");
  Options options(fd.get());
  // By index, not by name: an interface can be renamed between someone's look at it and this.
  TRY_VOID(
      options.set(SOL_SOCKET, SO_BINDTOIFINDEX, static_cast<int>(index), "binding to the interface").done());
  const int buffer = 1 << 20;
  if (!options.wish(SOL_SOCKET, SO_RCVBUFFORCE, buffer)) options.wish(SOL_SOCKET, SO_RCVBUF, buffer);
  TRY_VOID(family == Family::ipv4 ? configure_ipv4(fd.get(), index) : configure_ipv6(fd.get(), index));
  // After the traffic class, which sets a priority of its own.
  if (!options.wish(SOL_SOCKET, SO_PRIORITY, TC_PRIO_CONTROL))
    options.wish(SOL_SOCKET, SO_PRIORITY, TC_PRIO_INTERACTIVE);
  return fd;
}

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
  alignas(cmsghdr) std::array<std::uint8_t, 128> bytes;
};

// The ancillary data that names the source address and the interface to send from.
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

// Lets pass what is of one of these VRIDs, and what is not an advertisement. X is where the VRRP header
// begins.
std::vector<sock_filter> vrid_filter(Family family, std::span<const std::uint8_t> vrids) {
  std::array<std::uint32_t, 8> bitmap{};
  for (const auto vrid : vrids) bitmap[vrid / 32] |= std::uint32_t{1} << (vrid % 32);

  const auto accept = statement(BPF_RET | BPF_K, whole_packet);
  std::vector<sock_filter> program;
  const auto add = [&](auto... each) { (program.push_back(each), ...); };

  if (family == Family::ipv4)
    add(statement(BPF_LDX | BPF_B | BPF_MSH, 0));  // X = 4 * IHL
  else
    add(statement(BPF_LDX | BPF_W | BPF_IMM, 0));
  // Shorter than the eight bytes of a VRRP header: accept. (X never exceeds the length: the kernel has
  // checked it.)
  add(statement(BPF_LD | BPF_W | BPF_LEN, 0), statement(BPF_ALU | BPF_SUB | BPF_X, 0),
      jump(BPF_JMP | BPF_JGE | BPF_K, 8, 1, 0), accept);
  // Neither version 2 nor 3 of an advertisement: accept.
  add(statement(BPF_LD | BPF_B | BPF_IND, 0), jump(BPF_JMP | BPF_JEQ | BPF_K, 0x31, 2, 0),
      jump(BPF_JMP | BPF_JEQ | BPF_K, 0x21, 1, 0), accept);
  add(statement(BPF_LD | BPF_B | BPF_IND, 1));
  append_bitmap_lookup(program, bitmap);
  return program;
}

// Goes on behind its end with what may matter: whole, from the group's neighbours, of this priority at least;
// and with one of 1024 of the others, so that they are noticed. What vrrp/packet checks, but for the
// checksum.
std::vector<sock_filter> shield_filter(Family family, std::uint8_t least_priority) {
  const bool ipv4 = family == Family::ipv4;
  // The filter of an IPv6 socket sees the message; its header is before that.
  const std::uint32_t header = ipv4 ? 0 : static_cast<std::uint32_t>(SKF_NET_OFF);
  std::vector<sock_filter> program;
  std::vector<std::size_t> demands;  // jumps that lead to the sample if they are not fulfilled
  const auto add = [&](auto... each) { (program.push_back(each), ...); };
  const auto demand = [&](unsigned comparison, std::uint32_t operand) {
    demands.push_back(program.size());
    add(jump(BPF_JMP | comparison | BPF_K, operand, 0, 0));
  };
  const auto load_start = [&] {
    if (ipv4)
      add(statement(BPF_LDX | BPF_B | BPF_MSH, 0));
    else
      add(statement(BPF_LDX | BPF_W | BPF_IMM, 0));
  };

  add(statement(BPF_LD | BPF_B | BPF_ABS, header + (ipv4 ? 8 : 7)));
  demand(BPF_JEQ, hop_limit);
  const auto group = advert_group(family);
  for (std::uint32_t i = 0; i < group.size(); i += 4) {
    std::uint32_t word = 0;
    std::memcpy(&word, group.octets.data() + i, sizeof word);
    add(statement(BPF_LD | BPF_W | BPF_ABS, header + (ipv4 ? 16 : 24) + i));
    demand(BPF_JEQ, ntohl(word));
  }
  // M[0]: the length of the message.
  load_start();
  add(statement(BPF_LD | BPF_W | BPF_LEN, 0), statement(BPF_ALU | BPF_SUB | BPF_X, 0), statement(BPF_ST, 0));
  demand(BPF_JGE, ipv4 ? 12 : 24);
  add(statement(BPF_LD | BPF_B | BPF_IND, 0));
  demand(BPF_JEQ, 0x31);
  add(statement(BPF_LD | BPF_H | BPF_IND, 4));
  demand(BPF_JSET, 0x0fff);  // the interval
  add(statement(BPF_LD | BPF_B | BPF_IND, 2));
  demand(BPF_JGE, least_priority);
  add(statement(BPF_LD | BPF_B | BPF_IND, 3));
  demand(BPF_JGE, 1);
  // A: the length that the count of addresses asks for, against M[0].
  add(statement(BPF_ALU | BPF_LSH | BPF_K, ipv4 ? 2 : 4), statement(BPF_ALU | BPF_ADD | BPF_K, 8),
      statement(BPF_MISC | BPF_TAX, 0), statement(BPF_LD | BPF_W | BPF_MEM, 0));
  demands.push_back(program.size());
  add(jump(BPF_JMP | BPF_JGE | BPF_X, 0, 0, 0));

  add(statement(BPF_JMP | BPF_JA, 4));
  const auto sample = program.size();
  add(statement(BPF_LD | BPF_W | BPF_ABS, static_cast<std::uint32_t>(SKF_AD_OFF + SKF_AD_RANDOM)),
      statement(BPF_ALU | BPF_AND | BPF_K, 1023), jump(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
      statement(BPF_RET | BPF_K, 0));
  for (const auto at : demands) program[at].jf = static_cast<std::uint8_t>(sample - at - 1);
  return program;
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

IpAddress advert_group(Family family) {
  if (family == Family::ipv4) return IpAddress::from_bytes(std::array<std::uint8_t, 4>{224, 0, 0, 18});
  return IpAddress::from_bytes(
      std::array<std::uint8_t, 16>{0xff, 0x02, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x12});
}

Result<AdvertSocket> AdvertSocket::open(Family family, const std::string& interface, std::uint32_t index) {
  auto fd = open_socket(family, index);
  if (!fd)
    return tl::unexpected(std::move(fd).error().context("opening the " + std::string(to_string(family)) +
                                                        " advertisement socket on " + interface));
  return AdvertSocket(std::move(*fd), family, interface, index);
}

AdvertSocket AdvertSocket::adopt(Fd fd, Family family, const std::string& interface, std::uint32_t index) {
  return AdvertSocket(std::move(fd), family, interface, index);
}

Result<> AdvertSocket::set_vrids(std::span<const std::uint8_t> vrids) {
  vrids_.assign(vrids.begin(), vrids.end());
  return apply_filter();
}

Result<> AdvertSocket::set_shield(std::optional<std::uint8_t> least_priority) {
  shield_ = least_priority;
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
  std::array<Control, receive_batch_size> controls;
  std::array<iovec, receive_batch_size> data;
  std::array<mmsghdr, receive_batch_size> messages;

  std::size_t total = 0;
  while (total < most_per_call) {
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
  std::array<sockaddr_storage, send_batch_size> destinations;
  std::array<Control, send_batch_size> controls;
  return send_in_batches(
      fd_.get(), datagrams.size(), [&](std::size_t slot, std::size_t i, msghdr& header, iovec& data) {
        const auto& datagram = datagrams[i];
        destinations[slot] = socket_address(datagram.destination, index_);
        header.msg_name = &destinations[slot];
        header.msg_namelen = family_ == Family::ipv4 ? sizeof(sockaddr_in) : sizeof(sockaddr_in6);
        name_source(header, controls[slot], datagram.source, index_);
        data = {const_cast<std::uint8_t*>(datagram.payload.data()), datagram.payload.size()};
      });
}

}  // namespace vipd::io
