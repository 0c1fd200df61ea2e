// Port: an interface on which virtual routers of this node run, as the configuration and the kernel describe
// it. The router makes a new list whenever one of the two has changed.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/interface.h"
#include "base/ip.h"

namespace vipd::programs {

struct Port {
  Interface interface;  // with the host's own addresses only, the virtual ones left out
  std::map<Family, std::vector<std::uint8_t>> vrids;  // the virtual routers to receive for
  std::set<IpAddress> virtual_addresses;

  bool receives(Family family) const { return interface.exists() && vrids.contains(family); }
};

using Ports = std::map<std::string, Port>;  // by the interface's name

// A socket that receives exists for each interface and family.
using PortKey = std::pair<std::string, Family>;

// 0: there is no such interface.
inline std::uint32_t index_of(const Ports& ports, const std::string& interface) {
  const auto port = ports.find(interface);
  return port == ports.end() ? 0 : port->second.interface.index;
}

// Whether a socket that was opened on the interface with this index still receives what it should.
inline bool is_current(const Ports& ports, const PortKey& key, std::uint32_t interface_index) {
  const auto port = ports.find(key.first);
  return port != ports.end() && port->second.vrids.contains(key.second) &&
         port->second.interface.index == interface_index;
}

}  // namespace vipd::programs
