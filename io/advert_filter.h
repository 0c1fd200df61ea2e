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

// Goes on behind its end with what may matter: whole, from the group's neighbours, of this priority at least;
// and with one of 1024 of the others, so that they are noticed. What vrrp/packet checks, but for the
// checksum.
std::vector<sock_filter> shield_filter(Family family, std::uint8_t least_priority);

}  // namespace vipd::io
