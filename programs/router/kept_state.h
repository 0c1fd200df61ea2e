// KeptState: what a router leaves in its Hold: the state that a successor starts from, and the Actives that the
// guardian advertises for. Made from what the engine shows.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "base/time.h"
#include "programs/common/hold.h"
#include "vrrp/status.h"

namespace vipd::programs {

struct KeptState {
  HoldState state;
  // For each virtual router, in the order of the snapshot: how late its advertisement may be before the
  // guardian sends it. Nothing: it is not Active.
  std::vector<std::optional<Duration>> tolerances;
};

// snapshot and status: of the same moment, so that their virtual routers are the same.
KeptState kept_state(vrrp::Snapshot snapshot, const vrrp::Status& status,
                     const std::function<std::uint32_t(const std::string& interface)>& index_of);

}  // namespace vipd::programs
