// The listening end of the control socket. The guardian makes it, so that it stays when the monitor, which
// serves it, is replaced: a client that asks meanwhile waits.
#pragma once

#include <string>

#include "base/result.h"
#include "io/fd.h"

namespace vipd::daemon {

// Replaces a leftover at `path`; nobody else uses the run directory (daemon/run_directory).
Result<io::Fd> listen_for_control(const std::string& path);

}  // namespace vipd::daemon
