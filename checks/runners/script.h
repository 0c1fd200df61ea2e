// The runner of script checks: asks the ScriptExecutor to run it and judges how it ended.
#pragma once

#include <memory>

#include "checks/runners/attempt.h"
#include "checks/settings/check.h"

namespace vipd::checks {

struct Context;

std::unique_ptr<Attempt> start_script(const CheckConfig& check, const Settings& settings, Context& context,
                                      Done done);

}  // namespace vipd::checks
