// Show: what is known, as JSON for the control socket. vipctl makes text of it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "checks/schedule.h"
#include "programs/common/messages.h"
#include "vrrp/status.h"

namespace vipd::programs {

// Everything for `vipctl status`. `now` is the time for ages.
std::string status_to_json(const StatusReply& reply, const std::vector<checks::CheckStatus>& checks,
                           const Programs& programs, TimePoint now);

// The sentences of `vipctl explain` for the virtual routers of one name; null if there is none.
nlohmann::json explanation_to_json(const vrrp::Status& status, const std::string& router);

}  // namespace vipd::programs
