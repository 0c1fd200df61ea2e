// The run directory belongs to one vipd at a time: the one that holds the lock on a file in it. The lock ends
// with its holder.
#pragma once

#include "base/result.h"
#include "io/fd.h"
#include "programs/common/paths.h"
#include "programs/guardian/privileges.h"

namespace vipd::programs {

struct RunDirectory {
  io::Fd lock;
  pid_t killed = 0;  // the previous vipd, if it was killed; else 0
};

// Makes the run directory if necessary, and takes the lock. The lock is held as long as its descriptor is
// open: in this process or in the router, which outlives a killed guardian and is waited for. EBUSY: another
// vipd has it; the message has its process number.
Result<RunDirectory> take_run_directory(const Paths& paths);

// Call it at an orderly end.
void leave_run_directory(const Paths& paths);

// Makes the directory for the journal of events, for the user of the monitor. A failure is no reason not to
// serve, but is reported: the message has the remedy.
Result<> make_events_directory(const std::string& path, const Privileges& privileges);

}  // namespace vipd::programs
