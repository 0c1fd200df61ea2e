// Upgrade: `vipctl upgrade`. Asks vipd to let the installed version take its place, waits until its programs
// are new, and says whether a virtual router has noticed.
#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace vipd::ctl {

// {"text", "version_before", "version", "changed": [names of virtual routers whose state is another]}.
// An Error without a code: it was refused, and nothing has changed.
Result<nlohmann::json> upgrade(const std::string& run_dir);

// That, out of two answers to "status".
nlohmann::json upgrade_summary(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace vipd::ctl
