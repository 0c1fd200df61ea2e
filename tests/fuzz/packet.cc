// Fuzzes what comes from the network: whatever decodes is a message that can be sent again and read as the same.
#include <cassert>
#include <cstddef>
#include <cstdint>

#include "vrrp/packet.h"

using namespace vipd;
using namespace vipd::vrrp;

namespace {

void try_family(Family family, const std::uint8_t* data, std::size_t size) {
  const auto source = *IpAddress::parse(family == Family::ipv4 ? "192.0.2.1" : "fe80::1");
  const auto& group = multicast_group(family);
  const auto decoded = decode({source, group, 255, {data, size}});
  if (!decoded) return;
  assert(!decoded->addresses.empty() && decoded->interval.count() > 0);
  const auto encoded = encode(*decoded, source, group);
  auto again = decode({source, group, 255, encoded});
  assert(again && again->trailing == 0);
  again->trailing = decoded->trailing;
  assert(*again == *decoded);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  try_family(Family::ipv4, data, size);
  try_family(Family::ipv6, data, size);
  return 0;
}
