#include "programs/router/port.h"

#include <algorithm>

namespace vipd::programs {

Ports ports_of(const std::vector<vrrp::VirtualRouterConfig>& configured,
               const std::vector<vrrp::RouterStatus>& running,
               const std::function<Interface(const std::string& name)>& interface_of) {
  Ports ports;
  const auto add = [&](const vrrp::VirtualRouterConfig& router) {
    auto& port = ports[router.path()];
    auto& vrids = port.vrids[router.key.family];
    if (std::find(vrids.begin(), vrids.end(), router.key.vrid) == vrids.end())
      vrids.push_back(router.key.vrid);
    for (const auto& prefix : router.addresses) port.virtual_addresses.insert(prefix.address);
  };
  for (const auto& router : configured) add(router);
  for (const auto& router : running) add(router.config);
  for (auto& [name, port] : ports) {
    port.interface = interface_of(name);
    std::erase_if(port.interface.addresses, [&](const InterfaceAddress& each) {
      return each.ours || port.virtual_addresses.contains(each.prefix.address);
    });
  }
  return ports;
}

}  // namespace vipd::programs
