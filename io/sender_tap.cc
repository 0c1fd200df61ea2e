#include "io/sender_tap.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/socket.h>

#include <cstring>
#include <vector>

#include "io/filter.h"

namespace vipd::io {

namespace {
constexpr std::uint32_t ip_protocol = 112;

// Compares protocol and source, in 32-bit words; the packet begins with its IP header.
std::vector<sock_filter> sender_filter(const IpAddress& sender) {
  const bool ipv4 = sender.family == Family::ipv4;
  const std::uint32_t protocol_at = ipv4 ? 9 : 6;
  const std::uint32_t source_at = ipv4 ? 12 : 8;
  const std::size_t words = sender.size() / 4;
  std::vector<sock_filter> program{statement(BPF_LD | BPF_B | BPF_ABS, protocol_at),
                                   jump(BPF_JMP | BPF_JEQ | BPF_K, ip_protocol, 0, 2 * words + 1)};
  for (std::size_t i = 0; i < words; ++i) {
    std::uint32_t word = 0;
    std::memcpy(&word, sender.octets.data() + 4 * i, sizeof word);
    program.push_back(statement(BPF_LD | BPF_W | BPF_ABS, source_at + static_cast<std::uint32_t>(4 * i)));
    program.push_back(jump(BPF_JMP | BPF_JEQ | BPF_K, ntohl(word), 0, 2 * (words - i) - 1));
  }
  program.push_back(statement(BPF_RET | BPF_K, whole_packet));
  program.push_back(statement(BPF_RET | BPF_K, 0));
  return program;
}
}  // namespace

Result<SenderTap> SenderTap::open(const IpAddress& sender, std::uint32_t interface_index) {
  // Protocol 0: the socket receives nothing before it has its filter.
  Fd fd(::socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_failure("opening a packet socket for " + to_string(sender));
  const auto program = sender_filter(sender);
  if (!attach_filter(fd.get(), program))
    return system_failure("filtering the packets of " + to_string(sender));
  sockaddr_ll where{};
  where.sll_family = AF_PACKET;
  where.sll_protocol = htons(sender.family == Family::ipv4 ? ETH_P_IP : ETH_P_IPV6);
  where.sll_ifindex = static_cast<int>(interface_index);
  if (bind(fd.get(), reinterpret_cast<sockaddr*>(&where), sizeof where) != 0)
    return system_failure("listening to the packets of " + to_string(sender));
  return SenderTap(std::move(fd));
}

std::optional<MacAddress> SenderTap::receive() {
  sockaddr_ll from{};
  socklen_t size = sizeof from;
  std::uint8_t byte = 0;
  if (recvfrom(fd_.get(), &byte, sizeof byte, MSG_DONTWAIT, reinterpret_cast<sockaddr*>(&from), &size) < 0)
    return std::nullopt;
  if (from.sll_halen != ETH_ALEN) return std::nullopt;
  MacAddress mac;
  std::memcpy(mac.octets.data(), from.sll_addr, ETH_ALEN);
  return mac;
}

}  // namespace vipd::io
