// Script: the commands of a scenario, one a line. README.md next to this file lists them.
#pragma once

#include <string>

#include "base/result.h"

namespace vipd::scenarios {

// The timeline of a script. An error names the line that cannot be understood.
Result<std::string> play(const std::string& script);

}  // namespace vipd::scenarios
