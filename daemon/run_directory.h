// The run directory belongs to one vipd at a time: a lock on a file in it says so, and dies with its holder.
#pragma once

#include "base/result.h"
#include "daemon/paths.h"
#include "daemon/privileges.h"
#include "io/fd.h"

namespace vipd::daemon {

struct RunDirectory {
  io::Fd lock;
  pid_t killed = 0;  // the vipd that had it before, if that did not leave it
};

// Makes the run directory if need be, and takes the lock, which is held as long as the
// descriptor is open, here or in the router, which outlives a guardian that was killed: that is waited for.
// EBUSY: another vipd has it; the message tells its process number.
Result<RunDirectory> take_run_directory(const Paths& paths);

// At an orderly end.
void leave_run_directory(const Paths& paths);

// Makes the directory for the journal of events, for the user of the monitor. That it cannot is no reason not
// to serve, but to be told: the message has the remedy.
Result<> make_events_directory(const std::string& path, const Privileges& privileges);

}  // namespace vipd::daemon
