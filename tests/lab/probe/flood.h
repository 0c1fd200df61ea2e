// A flood: frames at a rate, for so long, and no longer.
#pragma once

#include <linux/if_packet.h>
#include <net/if.h>

#include <charconv>
#include <iostream>
#include <vector>

#include <fmt/format.h>

#include "tests/lab/probe/loop.h"

namespace lab_probe {

inline std::vector<std::uint8_t> parse_frame(const std::string& hexadecimal) {
  std::vector<std::uint8_t> frame;
  for (std::size_t at = 0; at + 2 <= hexadecimal.size(); at += 2) {
    unsigned value = 0;
    const char* begin = hexadecimal.data() + at;
    if (std::from_chars(begin, begin + 2, value, 16).ptr != begin + 2) usage("a frame is hexadecimal digits");
    frame.push_back(static_cast<std::uint8_t>(value));
  }
  return frame;
}

inline std::vector<std::vector<std::uint8_t>> read_frames() {
  std::vector<std::vector<std::uint8_t>> frames;
  for (std::string line; std::getline(std::cin, line);) frames.push_back(parse_frame(line));
  return frames;
}

// In bursts of a millisecond; what the machine did not let us send in time is not made up for.
inline int flood(const std::string& interface, std::int64_t rate, std::int64_t milliseconds) {
  auto frames = read_frames();
  if (frames.empty()) usage("no frames");
  const int socket = checked(::socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), "packet socket");
  const int one = 1;
  setsockopt(socket, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  sockaddr_ll link{};
  link.sll_family = AF_PACKET;
  link.sll_ifindex = static_cast<int>(if_nametoindex(interface.c_str()));
  checked(bind(socket, reinterpret_cast<sockaddr*>(&link), sizeof link), "binding to " + interface);
  const auto burst = static_cast<std::size_t>(std::max<std::int64_t>(1, rate / 1000));
  std::vector<iovec> data(burst);
  std::vector<mmsghdr> messages(burst);
  std::size_t next_frame = 0;
  std::int64_t sent = 0;
  Grid grid(static_cast<Nanoseconds>(burst) * 1'000'000'000 / rate);
  for (const Nanoseconds end = now() + milliseconds * millisecond; now() < end;) {
    for (std::size_t i = 0; i < burst; ++i) {
      auto& frame = frames[next_frame++ % frames.size()];
      data[i] = {frame.data(), frame.size()};
      messages[i] = {};
      messages[i].msg_hdr.msg_iov = &data[i];
      messages[i].msg_hdr.msg_iovlen = 1;
    }
    const int count = sendmmsg(socket, messages.data(), static_cast<unsigned>(burst), 0);
    sent += std::max(count, 0);
    timespec until{grid.next() / 1'000'000'000, grid.next() % 1'000'000'000};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, nullptr);
    grid.advance(now());
  }
  fmt::print("{}\n", sent);
  return 0;
}

}  // namespace lab_probe
