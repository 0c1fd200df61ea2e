// Adverts: who advertises what.
#pragma once

#include <netinet/ip6.h>

#include <limits>

#include <fmt/format.h>

#include "tests/lab/probe/frames.h"
#include "tests/lab/probe/loop.h"

namespace lab_probe {

// Notes the advertisements of some hosts. Those of anybody else, a flood's for instance, are not printed.
class Adverts : public Task {
 public:
  Adverts(Loop& loop, const std::string& interface, const std::vector<std::string>& macs) {
    for (const auto& mac : macs) macs_.push_back(parse_mac(mac));
    for (const std::uint16_t type : {ETH_P_IP, ETH_P_IPV6})
      loop.add(packet_socket(interface, type), EPOLLIN, this);
  }

  Nanoseconds deadline() const override { return std::numeric_limits<Nanoseconds>::max(); }
  void on_time(Nanoseconds) override {}

  void on_descriptor(int descriptor, std::uint32_t) override {
    std::array<std::uint8_t, 2048> frame{};
    for (;;) {
      const auto size = recv(descriptor, frame.data(), frame.size(), 0);
      if (size < 0) return;
      read(frame.data(), static_cast<std::size_t>(size));
    }
  }

 private:
  void read(const std::uint8_t* frame, std::size_t size) {
    constexpr std::size_t ethernet = sizeof(ether_header);
    constexpr std::uint8_t vrrp = 112;
    if (size < ethernet + 20) return;
    const int family = frame[ethernet] >> 4;
    const std::size_t header = family == 4 ? (frame[ethernet] & 15U) * 4 : sizeof(ip6_hdr);
    const std::uint8_t protocol = frame[ethernet + (family == 4 ? 9 : 6)];
    if (protocol != vrrp || size < ethernet + header + 8) return;
    const std::uint8_t* message = frame + ethernet + header;
    Mac sender{};
    std::memcpy(sender.data(), frame + 6, 6);
    if (std::find(macs_.begin(), macs_.end(), sender) == macs_.end() || message[0] != 0x31) return;
    output.line(fmt::format("v {} {} {} {} {} {}", to_string(sender), now(), family, message[1], message[2],
                            (message[4] & 15) << 8 | message[5]));
  }

  std::vector<Mac> macs_;
};

}  // namespace lab_probe
