// Watch: `vipctl watch` in a terminal: the state and what happens, in place, until q is pressed. Asks vipd
// once a second and gets events as they come; while there is no vipd it says so and tries again.
#pragma once

#include <string>

#include "base/result.h"

namespace vipd::ctl {

// Only where Terminal::is_there(). An Error: vipd did not answer at the beginning.
Result<> watch(const std::string& run_dir, bool colours);

}  // namespace vipd::ctl
