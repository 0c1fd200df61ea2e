// Upgrade: `vipctl upgrade`. Asks vipd to let the installed version take its place, waits until its programs
// are new, and says whether a virtual router has noticed.
#pragma once

#include <chrono>
#include <nlohmann/json.hpp>
#include <string>

#include "base/result.h"

namespace vipd::ctl {

// {"text", "version_before", "version", "changed": [names of virtual routers whose state is another]}.
// An Error without a code: it was refused, and nothing has changed.
// `longest`: how long the new programs may take.
Result<nlohmann::json> upgrade(const std::string& run_dir,
                               std::chrono::seconds longest = std::chrono::seconds(20));

// That, out of two answers to "status".
nlohmann::json upgrade_summary(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace vipd::ctl
