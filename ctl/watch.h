// `vipctl watch` on a terminal: shows the state and the events until q is pressed. Requests the status once a
// second and receives events as they come; while no vipd is running it shows this and retries.
#pragma once

#include <string>

#include "base/result.h"

namespace vipd::ctl {

// Requires Terminal::is_there(). An Error: vipd did not answer at the start.
Result<> watch(const std::string& run_dir, bool colours);

}  // namespace vipd::ctl
