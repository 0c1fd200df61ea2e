// Fuzzes what comes from the network: whatever decodes is a message that can be sent again and read as the
// same.
#include <cassert>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "vrrp/checksum.h"
#include "vrrp/packet.h"

using namespace vipd;
using namespace vipd::vrrp;

namespace {

constexpr std::uint8_t vrrp_protocol = 112;

void try_message(const IpAddress& source, std::vector<std::uint8_t> message) {
  const auto& group = multicast_group(source.family);
  const auto decoded = decode({source, group, 255, message});
  if (!decoded) return;
  assert(!decoded->addresses.empty() && decoded->interval.count() > 0);
  const auto encoded = encode(*decoded, source, group);
  auto again = decode({source, group, 255, encoded});
  assert(again && again->trailing == 0);
  again->trailing = decoded->trailing;
  assert(*again == *decoded);
}

// As it is, and with the checksum put right, which chance would not find.
void try_family(const IpAddress& source, std::vector<std::uint8_t> message) {
  try_message(source, message);
  if (message.size() < 8) return;
  message[6] = message[7] = 0;
  Checksum checksum;
  checksum.add_pseudo_header(source, multicast_group(source.family), vrrp_protocol, message.size());
  const auto value = checksum.add(message).value();
  message[6] = static_cast<std::uint8_t>(value >> 8);
  message[7] = static_cast<std::uint8_t>(value);
  try_message(source, message);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  for (const char* source : {"192.0.2.1", "fe80::1"})
    try_family(*IpAddress::parse(source), std::vector<std::uint8_t>(data, data + size));
  return 0;
}
