// Which of the arriving advertisements the kernel drops: BPF programs for the sockets that receive them. Both
// expect the VRRP header where a raw socket of the family has it.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/ip.h"

namespace vipd::io {

// Passes messages with one of these VRIDs, and those that are not an advertisement of version 2 or 3.
std::vector<sock_filter> vrid_filter(Family family, std::span<const std::uint8_t> vrids);

// The advertisements that still matter during a flood.
struct Shield {
  std::uint8_t least_priority = 0;  // that can change a state here, from any sender
  // The Actives that are followed here, at most most_known. All of their advertisements matter, including a
  // farewell (priority 0) and a fallen priority.
  std::vector<IpAddress> known;
};
constexpr std::size_t most_known = 8;

// Continues after its end with a message that the shield passes, if it is complete and comes from the link
// (what vrrp/packet checks, except the checksum); and with one of 1024 of the others, so that they are
// noticed.
std::vector<sock_filter> shield_filter(Family family, const Shield& shield);

}  // namespace vipd::io
