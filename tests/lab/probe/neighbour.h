// Neighbour: who answers for an address (ARP, Neighbor Discovery), and who announces it without being asked.
#pragma once

#include <netinet/icmp6.h>
#include <netinet/if_ether.h>
#include <netinet/ip6.h>
#include <sys/ioctl.h>

#include <fmt/format.h>

#include "tests/lab/probe/address.h"
#include "tests/lab/probe/frames.h"
#include "tests/lab/probe/loop.h"

namespace lab_probe {

inline std::uint16_t icmp_checksum(const in6_addr& from, const in6_addr& to, const std::uint8_t* data,
                                   std::size_t size) {
  std::uint32_t sum = 0;
  const auto add = [&sum](const std::uint8_t* bytes, std::size_t count) {
    for (std::size_t i = 0; i + 1 < count; i += 2)
      sum += static_cast<std::uint32_t>(bytes[i] << 8 | bytes[i + 1]);
  };
  add(from.s6_addr, 16);
  add(to.s6_addr, 16);
  sum += static_cast<std::uint32_t>(size) + IPPROTO_ICMPV6;
  add(data, size);
  while (sum >> 16) sum = (sum & 0xffff) + (sum >> 16);
  return htons(static_cast<std::uint16_t>(~sum));
}

// Asks for one address again and again, and notes every MAC address that answers. It belongs into a namespace
// of its own: the answers would teach a client's kernel what only the announcements shall teach it.
class Neighbour : public Task {
 public:
  Neighbour(Loop& loop, const std::string& interface, std::string label, Address target, Nanoseconds period)
      : label_(std::move(label)), target_(target), grid_(period) {
    socket_ = packet_socket(interface, target.is_ipv4() ? ETH_P_ARP : ETH_P_IPV6);
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    checked(ioctl(socket_, SIOCGIFHWADDR, &request), "MAC address of " + interface);
    std::memcpy(mac_.data(), request.ifr_hwaddr.sa_data, 6);
    question_ = target.is_ipv4() ? arp_request(interface) : solicitation();
    loop.add(socket_, EPOLLIN, this);
  }

  Nanoseconds deadline() const override { return grid_.next(); }

  void on_time(Nanoseconds time) override {
    if (asked_ != 0) report();
    answers_.clear();
    asked_ = time;
    send(socket_, question_.data(), question_.size(), 0);
    grid_.advance(time);
  }

  void on_descriptor(int, std::uint32_t) override {
    std::array<std::uint8_t, 2048> frame{};
    for (;;) {
      const auto size = recv(socket_, frame.data(), frame.size(), 0);
      if (size < 0) return;
      if (target_.is_ipv4())
        read_arp(frame.data(), static_cast<std::size_t>(size));
      else
        read_advertisement(frame.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  void report() {
    std::string macs;
    for (const Mac& mac : answers_) macs += (macs.empty() ? "" : ",") + to_string(mac);
    output.line(fmt::format("n {} {} {}", label_, asked_, macs.empty() ? "-" : macs));
  }

  void answered(const Mac& mac, bool announcement) {
    if (announcement) return output.line(fmt::format("g {} {} {}", label_, now(), to_string(mac)));
    for (const Mac& known : answers_)
      if (known == mac) return;
    answers_.push_back(mac);
  }

  void read_arp(const std::uint8_t* frame, std::size_t size) {
    ether_arp arp{};
    if (size < sizeof(ether_header) + sizeof arp) return;
    std::memcpy(&arp, frame + sizeof(ether_header), sizeof arp);
    if (std::memcmp(arp.arp_spa, &target_.ipv4(), 4) != 0) return;
    Mac sender{};
    std::memcpy(sender.data(), arp.arp_sha, 6);
    const bool to_us = std::memcmp(frame, mac_.data(), 6) == 0;
    answered(sender, !to_us || ntohs(arp.ea_hdr.ar_op) != ARPOP_REPLY);
  }

  void read_advertisement(const std::uint8_t* frame, std::size_t size) {
    nd_neighbor_advert advert{};
    constexpr std::size_t start = sizeof(ether_header) + sizeof(ip6_hdr);
    if (size < start + sizeof advert || frame[sizeof(ether_header) + 6] != IPPROTO_ICMPV6) return;
    std::memcpy(&advert, frame + start, sizeof advert);
    if (advert.nd_na_type != ND_NEIGHBOR_ADVERT) return;
    if (std::memcmp(&advert.nd_na_target, &target_.ipv6(), 16) != 0) return;
    Mac sender{};
    const std::uint8_t* option = frame + start + sizeof advert;
    const bool has_option = size >= start + sizeof advert + 8 && option[0] == ND_OPT_TARGET_LINKADDR;
    std::memcpy(sender.data(), has_option ? option + 2 : frame + 6, 6);
    answered(sender, (advert.nd_na_flags_reserved & ND_NA_FLAG_SOLICITED) == 0);
  }

  std::vector<std::uint8_t> arp_request(const std::string& interface) const {
    ifreq request{};
    interface.copy(request.ifr_name, IFNAMSIZ - 1);
    const int any = checked(socket(AF_INET, SOCK_DGRAM, 0), "socket");
    checked(ioctl(any, SIOCGIFADDR, &request), "IPv4 address of " + interface);
    close(any);
    sockaddr_in own{};
    std::memcpy(&own, &request.ifr_addr, sizeof own);
    ether_arp arp{};
    arp.ea_hdr.ar_hrd = htons(ARPHRD_ETHER);
    arp.ea_hdr.ar_pro = htons(ETHERTYPE_IP);
    arp.ea_hdr.ar_hln = 6;
    arp.ea_hdr.ar_pln = 4;
    arp.ea_hdr.ar_op = htons(ARPOP_REQUEST);
    std::memcpy(arp.arp_sha, mac_.data(), 6);
    std::memcpy(arp.arp_spa, &own.sin_addr, 4);
    std::memcpy(arp.arp_tpa, &target_.ipv4(), 4);
    std::vector<std::uint8_t> frame = header({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, ETHERTYPE_ARP);
    append(frame, &arp, sizeof arp);
    return frame;
  }

  // From the link-local address that belongs to our MAC address: the kernel has it once the link is up.
  std::vector<std::uint8_t> solicitation() const {
    const in6_addr& target = target_.ipv6();
    const Mac group{0x33, 0x33, 0xff, target.s6_addr[13], target.s6_addr[14], target.s6_addr[15]};
    ip6_hdr ip{};
    ip.ip6_flow = htonl(6U << 28);
    ip.ip6_plen = htons(sizeof(nd_neighbor_solicit) + 8);
    ip.ip6_nxt = IPPROTO_ICMPV6;
    ip.ip6_hlim = 255;
    const std::array<std::uint8_t, 16> own{
        0xfe,    0x80,    0,    0,    0,       0,       0,      0, static_cast<std::uint8_t>(mac_[0] ^ 2),
        mac_[1], mac_[2], 0xff, 0xfe, mac_[3], mac_[4], mac_[5]};
    const std::array<std::uint8_t, 16> solicited{0xff,
                                                 0x02,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 0,
                                                 1,
                                                 0xff,
                                                 target.s6_addr[13],
                                                 target.s6_addr[14],
                                                 target.s6_addr[15]};
    std::memcpy(&ip.ip6_src, own.data(), 16);
    std::memcpy(&ip.ip6_dst, solicited.data(), 16);
    nd_neighbor_solicit question{};
    question.nd_ns_type = ND_NEIGHBOR_SOLICIT;
    question.nd_ns_target = target;
    std::vector<std::uint8_t> message;
    append(message, &question, sizeof question);
    message.insert(message.end(), {ND_OPT_SOURCE_LINKADDR, 1});
    append(message, mac_.data(), 6);
    const std::uint16_t checksum = icmp_checksum(ip.ip6_src, ip.ip6_dst, message.data(), message.size());
    std::memcpy(message.data() + 2, &checksum, 2);
    std::vector<std::uint8_t> frame = header(group, ETHERTYPE_IPV6);
    append(frame, &ip, sizeof ip);
    append(frame, message.data(), message.size());
    return frame;
  }

  std::vector<std::uint8_t> header(const Mac& to, std::uint16_t type) const {
    std::vector<std::uint8_t> frame(to.begin(), to.end());
    append(frame, mac_.data(), 6);
    frame.push_back(static_cast<std::uint8_t>(type >> 8));
    frame.push_back(static_cast<std::uint8_t>(type));
    return frame;
  }

  static void append(std::vector<std::uint8_t>& frame, const void* data, std::size_t size) {
    const auto* bytes = static_cast<const std::uint8_t*>(data);
    frame.insert(frame.end(), bytes, bytes + size);
  }

  std::string label_;
  Address target_;
  Grid grid_;
  int socket_ = -1;
  Mac mac_{};
  std::vector<std::uint8_t> question_;
  Nanoseconds asked_ = 0;
  std::vector<Mac> answers_;
};

}  // namespace lab_probe
