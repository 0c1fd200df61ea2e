// The runner of script checks: has the ScriptExecutor run the script, and judges how it ended.
#pragma once

#include <memory>

#include "checks/attempt.h"
#include "checks/settings/check.h"

namespace vipd::checks {

struct Context;

std::unique_ptr<Attempt> start_script(const CheckConfig& check, const Settings& settings, Context& context,
                                      Done done);

}  // namespace vipd::checks
