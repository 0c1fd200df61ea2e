// What the kernel drops of the advertisements that arrive: programs for the sockets that hear them. Both look
// at the VRRP header where a raw socket of the family has it.
#pragma once

#include <linux/filter.h>

#include <cstdint>
#include <span>
#include <vector>

#include "base/ip.h"

namespace vipd::io {

// Lets pass what is of one of these VRIDs, and what is not an advertisement of version 2 or 3.
std::vector<sock_filter> vrid_filter(Family family, std::span<const std::uint8_t> vrids);

// What still matters during a flood.
struct Shield {
  std::uint8_t least_priority = 0;  // that can change a state here, whoever sends it
  // Whose every word matters, a farewell (priority 0) and a fallen priority too: the Actives that are
  // followed here. most_known at most.
  std::vector<IpAddress> known;
};
constexpr std::size_t most_known = 8;

// Goes on behind its end with what the shield lets pass if it is whole and from the group's neighbours; and
// with one of 1024 of the others, so that they are noticed. What vrrp/packet checks, but for the checksum.
std::vector<sock_filter> shield_filter(Family family, const Shield& shield);

}  // namespace vipd::io
