// The runner of TCP checks: connects, optionally sends a text, and optionally waits for one.
#pragma once

#include <memory>

#include "checks/attempt.h"
#include "checks/settings/check.h"

namespace vipd::checks {

struct Context;

std::unique_ptr<Attempt> start_tcp(const CheckConfig& check, const Settings& settings, Context& context,
                                   Done done);

}  // namespace vipd::checks
