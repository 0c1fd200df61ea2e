// The run directory belongs to one vipd at a time: a lock on a file in it says so, and dies with its holder.
#pragma once

#include "base/result.h"
#include "daemon/paths.h"
#include "io/fd.h"

namespace vipd::daemon {

// Makes the run and the state directory if need be, and takes the lock, which is held as long as the
// descriptor is open. EBUSY: another vipd has it; the message tells its process number.
Result<io::Fd> take_run_directory(const Paths& paths);

}  // namespace vipd::daemon
