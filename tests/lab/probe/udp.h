// UDP: a client that asks at a fixed rate, and the echo server that it asks.
#pragma once

#include <netinet/in.h>

#include <array>
#include <deque>
#include <string_view>

#include <fmt/format.h>

#include "tests/lab/probe/address.h"
#include "tests/lab/probe/loop.h"

namespace lab_probe {

constexpr Nanoseconds late = 20 * millisecond;  // a datagram's reply after this is none

class UdpClient : public Task {
 public:
  UdpClient(Loop& loop, std::string label, Address server, Nanoseconds period)
      : label_(std::move(label)), server_(server), grid_(period) {
    socket_ =
        checked(socket(server.storage.ss_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "UDP socket");
    loop.add(socket_, EPOLLIN, this);
  }

  Nanoseconds deadline() const override { return grid_.next(); }

  void on_time(Nanoseconds time) override {
    while (!waiting_.empty() && waiting_.front().sent + late < time) {
      if (!waiting_.front().answered) output.line(fmt::format("u {} {} - -", label_, waiting_.front().sent));
      waiting_.pop_front();
      ++first_;
    }
    const std::uint64_t sequence = first_ + waiting_.size();
    waiting_.push_back({time, false});
    sendto(socket_, &sequence, sizeof sequence, 0, server_.get(), server_.size);  // a failure is a lost probe
    grid_.advance(time);
  }

  void on_descriptor(int, std::uint32_t) override {
    std::array<char, 256> buffer{};
    for (;;) {
      const auto size = recv(socket_, buffer.data(), buffer.size(), 0);
      if (size < 0 && errno == EAGAIN) return;
      if (size < static_cast<ssize_t>(sizeof(std::uint64_t))) continue;
      std::uint64_t sequence = 0;
      std::memcpy(&sequence, buffer.data(), sizeof sequence);
      if (sequence < first_ || sequence - first_ >= waiting_.size()) continue;
      Probe& probe = waiting_[sequence - first_];
      const Nanoseconds latency = now() - probe.sent;
      if (probe.answered || latency > late) continue;
      probe.answered = true;
      const std::string_view node(buffer.data() + sizeof sequence,
                                  static_cast<std::size_t>(size) - sizeof sequence);
      output.line(fmt::format("u {} {} {} {}", label_, probe.sent, latency, node));
    }
  }

 private:
  struct Probe {
    Nanoseconds sent;
    bool answered;
  };
  std::string label_;
  Address server_;
  Grid grid_;
  int socket_ = -1;
  std::uint64_t first_ = 0;  // the sequence number of waiting_.front()
  std::deque<Probe> waiting_;
};

// One family's half of the echo server. It answers from the address that was asked: a reply from the node's
// own address would not show that the node has the virtual one.
inline void echo(int socket, std::string_view name) {
  std::array<char, 64> data{};
  alignas(cmsghdr) std::array<char, 128> control{};
  for (;;) {
    sockaddr_storage from{};
    iovec piece{data.data(), sizeof(std::uint64_t)};
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = control.data();
    message.msg_controllen = control.size();
    const auto size = recvmsg(socket, &message, 0);
    if (size < 0) return;
    // The packet information comes back as it was received, but for the interface: routing decides.
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part; part = CMSG_NXTHDR(&message, part)) {
      if (part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_PKTINFO) {
        in_pktinfo info{};
        std::memcpy(&info, CMSG_DATA(part), sizeof info);
        info.ipi_ifindex = 0;
        info.ipi_spec_dst = info.ipi_addr;
        std::memcpy(CMSG_DATA(part), &info, sizeof info);
      }
    }
    std::memcpy(data.data() + size, name.data(), name.size());
    piece.iov_len = static_cast<std::size_t>(size) + name.size();
    sendmsg(socket, &message, 0);
  }
}

inline int run_echo(const std::string& name, std::uint16_t port) {
  const int one = 1;
  const int four = checked(socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0), "UDP socket");
  const int six = checked(socket(AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK, 0), "UDP socket");
  setsockopt(four, IPPROTO_IP, IP_PKTINFO, &one, sizeof one);
  setsockopt(six, IPPROTO_IPV6, IPV6_RECVPKTINFO, &one, sizeof one);
  setsockopt(six, IPPROTO_IPV6, IPV6_V6ONLY, &one, sizeof one);
  Address any4 = Address::parse("0.0.0.0", port);
  Address any6 = Address::parse("::", port);
  checked(bind(four, any4.get(), any4.size), "binding the echo server");
  checked(bind(six, any6.get(), any6.size), "binding the echo server");
  ask_for_priority();
  const int epoll = checked(epoll_create1(0), "epoll");
  for (const int each : {four, six}) {
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.fd = each;
    checked(epoll_ctl(epoll, EPOLL_CTL_ADD, each, &event), "epoll_ctl");
  }
  fmt::print("ready\n");
  std::fflush(stdout);
  for (;;) {
    epoll_event event{};
    if (epoll_wait(epoll, &event, 1, -1) == 1) echo(event.data.fd, name);
  }
}

}  // namespace lab_probe
