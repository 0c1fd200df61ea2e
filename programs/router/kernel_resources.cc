#include "programs/router/kernel_resources.h"

#include <fcntl.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "io/fd.h"
#include "netlink/address.h"

namespace vipd::programs {

namespace {
// Of netlink work before sockets and deadlines are checked again.
constexpr Duration slice_budget = std::chrono::milliseconds(3);

// The kernel removes all addresses of a subnet with the first one, unless it is set to promote another. A
// virtual address may be the first one, and the others the host's own. A failure to set this is ignored.
void keep_secondary_addresses(const std::string& interface) {
  const auto path = "/proc/sys/net/ipv4/conf/" + interface + "/promote_secondaries";
  const io::Fd file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (file) (void)!::write(file.get(), "1", 1);
}
}  // namespace

void KernelResources::set_ports(const Ports& ports) {
  const auto before = std::exchange(ports_, ports);
  for (const auto& [name, port] : ports_)
    if (port.receives(Family::ipv4) && !is_current(before, {name, Family::ipv4}, port.interface.index))
      keep_secondary_addresses(name);
}

std::size_t KernelResources::apply(const std::vector<ResourceChange>& changes) {
  if (changes.empty()) return 0;
  std::vector<netlink::AddressChange> requests;
  for (const auto& change : changes) {
    const auto& address = std::get<vrrp::VirtualAddress>(change.resource);
    const auto port = ports_.find(address.interface);
    const bool hosts_network =
        port != ports_.end() && netlink::is_connected(port->second.interface, address.prefix, {});
    requests.push_back({.add = change.put,
                        .interface_index = index_of(ports_, address.interface),
                        .prefix = address.prefix,
                        .valid = address.valid,
                        .no_prefix_route = hosts_network,
                        .label = {}});
  }
  const auto results = netlink::apply(netlink_, requests, slice_budget);
  for (std::size_t i = 0; i < results.size(); ++i) {
    // A missing interface has its own event, and its addresses are gone with it.
    if (results[i] || requests[i].interface_index == 0) continue;
    report_(vrrp::AddressFailed{changes[i].router, requests[i].prefix, results[i].error().message});
  }
  return results.size();
}

}  // namespace vipd::programs
