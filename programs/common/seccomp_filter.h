// SeccompFilter: limits the system calls of vipd-router and vipd-monitor. Any other call ends the program
// with a line that names the call, and the guardian starts the program anew. The lists exclude all that is
// dangerous: no fork, no exec, no ptrace, no mount, no change of user, no BPF, no module.
#pragma once

#include "base/result.h"

namespace vipd::programs {

enum class Part { router, monitor };

// Irrevocable. An Error if the kernel has no seccomp (ENOSYS, EINVAL); then nothing has changed.
Result<> restrict_system_calls(Part part);

}  // namespace vipd::programs
