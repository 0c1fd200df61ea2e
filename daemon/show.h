// Show: the state of vipd as JSON for the control socket. vipctl turns it into text.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "daemon/messages.h"
#include "health/monitor.h"
#include "vrrp/status.h"

namespace vipd::daemon {

// The complete answer for `vipctl status`. Ages are relative to `now`.
std::string status_to_json(const StatusReply& reply, const std::vector<health::CheckStatus>& checks,
                           const Programs& programs, TimePoint now);

// The sentences of `vipctl explain` for the virtual routers of one name; null if there is none.
nlohmann::json explanation_to_json(const vrrp::Status& status, const std::string& router);

}  // namespace vipd::daemon
