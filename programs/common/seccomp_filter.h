// SeccompFilter: the system calls that vipd-router and vipd-monitor may make. Any other one ends the program
// with a line that names it; the guardian starts it anew. The lists are short for what matters: no fork, no
// exec, no ptrace, no mount, no change of user, no BPF, no module.
#pragma once

#include "base/result.h"

namespace vipd::programs {

enum class Part { router, monitor };

// Irrevocable. Where the kernel has no seccomp (ENOSYS, EINVAL) an Error says so, and nothing has changed.
Result<> restrict_system_calls(Part part);

}  // namespace vipd::programs
