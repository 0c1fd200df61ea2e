// Show: the state of vipd as JSON for the control socket. vipctl turns it into text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "checks/schedule.h"
#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/monitor_router_messages.h"
#include "vrrp/status.h"

namespace vipd::programs {

// The complete answer for `vipctl status`. Ages are relative to `now`.
std::string status_to_json(const StatusReply& reply, const std::vector<checks::CheckStatus>& checks,
                           const Programs& programs, TimePoint now);

// The sentences of `vipctl explain` for the virtual routers of one name; null if there is none.
nlohmann::json explanation_to_json(const vrrp::Status& status, const std::string& router);

}  // namespace vipd::programs
