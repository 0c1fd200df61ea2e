#include "vrrp/transmission.h"

namespace vipd::vrrp {

Advertisement advertisement_of(const VirtualRouterConfig& config, Priority priority, ChecksumForm checksum) {
  Advertisement advertisement;
  advertisement.vrid = config.key.vrid;
  advertisement.priority = priority;
  advertisement.interval = config.advertisement_interval;
  for (const auto& prefix : config.addresses) advertisement.addresses.push_back(prefix.address);
  advertisement.checksum = checksum;
  return advertisement;
}

std::vector<Transmission> transmissions(const Advertisement& advertisement, const IpAddress& source) {
  const auto& group = multicast_group(source.family);
  return {{source, group, encode(advertisement, source, group)}};
}

}  // namespace vipd::vrrp
