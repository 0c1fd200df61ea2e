// `vipctl upgrade`: asks vipd to let the installed version replace it, waits until its programs are new, and
// reports which virtual routers changed their state.
#pragma once

#include <chrono>
#include <nlohmann/json_fwd.hpp>
#include <string>

#include "base/result.h"

namespace vipd::ctl {

// {"text", "version_before", "version", "changed": [names of virtual routers with another state]}. An Error
// without a code: vipd refused, and nothing has changed. `longest`: how long the new programs may take.
Result<nlohmann::json> upgrade(const std::string& run_dir,
                               std::chrono::seconds longest = std::chrono::seconds(20));

// The same from two answers to "status".
nlohmann::json upgrade_summary(const nlohmann::json& before, const nlohmann::json& after);

}  // namespace vipd::ctl
