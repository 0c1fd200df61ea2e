#include "programs/router/kept_state.h"

#include <utility>

#include "vrrp/transmission.h"

namespace vipd::programs {

namespace {
// The guardian sends an advertisement that is late by half an interval.
constexpr int late_part = 2;
}  // namespace

KeptState kept_state(vrrp::Snapshot snapshot, const vrrp::Status& status,
                     const std::function<std::uint32_t(const std::string& interface)>& index_of) {
  KeptState kept{{std::move(snapshot), {}}, {}};
  for (const auto& router : status.routers) {
    auto& tolerance = kept.tolerances.emplace_back();
    if (router.state != vrrp::StateName::active || !router.primary_address) continue;
    const auto& config = router.config;
    tolerance = config.advertisement_interval / late_part;
    kept.state.held.push_back({config.key, index_of(config.path()), *router.primary_address,
                               vrrp::advertisement_of(config, router.priority, router.checksum),
                               config.addresses, config.dead_man});
  }
  return kept;
}

}  // namespace vipd::programs
