#include "conf/build.h"

#include <algorithm>

namespace vipd::conf {

namespace {

void track(const std::vector<checks::CheckConfig>& checks, std::vector<vrrp::TrackedCheck>& tracked) {
  for (const auto& check : checks)
    tracked.push_back(
        {check.name, check.on_failure.priority, check.on_failure.initialize, check.stale_after});
}

std::vector<Prefix> addresses_of(const RouterEntry& router, Family family) {
  std::vector<Prefix> addresses;
  for (const auto& each : router.addresses)
    if (each.address.family == family) addresses.push_back(each);
  const bool derive = family == Family::ipv6 && router.link_local == LinkLocal::derive &&
                      !addresses.empty() && !addresses.front().address.is_link_local();
  if (derive) addresses.insert(addresses.begin(), link_local_address(router.vrid));
  return addresses;
}

}  // namespace

Prefix link_local_address(vrrp::Vrid vrid) {
  Prefix prefix;
  prefix.address.family = Family::ipv6;
  prefix.address.octets = {0xfe, 0x80, 0, 0, 0, 0, 0, 0, 0x02, 0x00, 0x5e, 0xff, 0xfe, 0x00, 0x02, vrid};
  prefix.length = 64;
  return prefix;
}

std::vector<vrrp::VirtualRouterConfig> virtual_routers(const Config& config) {
  std::vector<vrrp::VirtualRouterConfig> virtual_routers;
  for (const auto& entry : config.virtual_routers) {
    vrrp::VirtualRouterConfig shared;
    shared.name = entry.name;
    shared.priority = entry.priority;
    shared.advertisement_interval = entry.advertisement_interval;
    shared.preempt_mode = entry.preempt_mode;
    shared.checksum = entry.checksum;
    shared.announce = entry.announce;
    shared.dead_man = entry.dead_man;
    shared.max_adopted_interval = entry.max_adopted_interval;
    shared.lease = entry.lease;
    track(entry.checks, shared.checks);
    for (const auto& server : config.virtual_servers)
      if (server.router == entry.name) track(server.checks, shared.checks);
    for (const auto family : {Family::ipv4, Family::ipv6}) {
      auto one = shared;
      one.key = {entry.interface, entry.vrid, family};
      one.addresses = addresses_of(entry, family);
      if (!one.addresses.empty()) virtual_routers.push_back(std::move(one));
    }
  }
  return virtual_routers;
}

std::vector<checks::CheckConfig> checks(const Config& config) {
  std::vector<checks::CheckConfig> checks;
  for (const auto& router : config.virtual_routers)
    checks.insert(checks.end(), router.checks.begin(), router.checks.end());
  for (const auto& server : config.virtual_servers)
    checks.insert(checks.end(), server.checks.begin(), server.checks.end());
  return checks;
}

}  // namespace vipd::conf
