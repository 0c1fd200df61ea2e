// Sandbox: what vipd-router and vipd-monitor give up before they hear a byte from anybody: files
// (daemon/landlock) and system calls (daemon/seccomp_filter). User and capabilities are gone already
// (daemon/privileges).
#pragma once

#include <string>

#include "daemon/log.h"
#include "daemon/seccomp_filter.h"

namespace vipd::daemon {

// What the kernel does not offer is told and done without. events_directory: of the monitor, where the
// journal of events is; the one place where it may make files. It may be made, or made anew, later; the
// directory above it must be there.
void enter_sandbox(Log& log, Part part, const std::string& events_directory = {});

}  // namespace vipd::daemon
