// Sandbox: restricts vipd-router and vipd-monitor before they read any input: files (programs/common/landlock) and
// system calls (programs/common/seccomp_filter). User and capabilities are restricted already (programs/guardian/privileges).
#pragma once

#include <string>

#include "programs/common/log.h"
#include "programs/common/seccomp_filter.h"

namespace vipd::programs {

// A restriction that the kernel does not offer is reported and left out. events_directory: of the monitor's
// journal of events, the only place where it may make files. It may be made later, and removed and made
// again; its parent must exist.
void enter_sandbox(Log& log, Part part, const std::string& events_directory = {});

}  // namespace vipd::programs
