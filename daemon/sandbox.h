// Sandbox: what vipd-router and vipd-monitor give up before they hear a byte from anybody: files
// (daemon/landlock) and system calls (daemon/seccomp_filter). User and capabilities are gone already
// (daemon/privileges).
#pragma once

#include "daemon/log.h"
#include "daemon/seccomp_filter.h"

namespace vipd::daemon {

// What the kernel does not offer is told and done without.
void enter_sandbox(Log& log, Part part);

}  // namespace vipd::daemon
