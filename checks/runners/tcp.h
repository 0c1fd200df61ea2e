// The runner of TCP checks: connects, says something if told to, and waits for a text if told to.
#pragma once

#include <memory>

#include "checks/runners/attempt.h"
#include "checks/settings/check.h"

namespace vipd::checks {

struct Context;

std::unique_ptr<Attempt> start_tcp(const CheckConfig& check, const Settings& settings, Context& context,
                                   Done done);

}  // namespace vipd::checks
