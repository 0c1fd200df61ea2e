// Process: starts, watches and ends programs. fork and exec without a shell; the new program gets the given
// descriptors and no others, default signal actions, and exactly the given rights.
#pragma once

#include <sys/resource.h>
#include <sys/types.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "io/fd.h"

namespace vipd::io {

struct SpawnOptions {
  std::optional<std::vector<std::string>> environment;  // "NAME=value", all of it; absent: as ours
  std::string working_directory;                        // empty: as ours

  // Changing the user also empties the supplementary groups, but for `groups`.
  std::optional<uid_t> user;
  std::optional<gid_t> group;  // wanted whenever user is
  std::vector<gid_t> groups;
  // The only CAP_... numbers that the program ever has, as ambient capabilities (the bounding set is limited
  // too, if permitted). Absent: as the kernel's change of user leaves them.
  std::optional<std::vector<int>> capabilities;
  bool no_new_privs = false;

  bool process_group = false;  // its own group, so that kill_group ends its children too

  int input = -1;                        // descriptor to become standard input; -1: /dev/null
  int output = 1;                        // ... standard output; by default ours; -1: /dev/null
  int error = 2;                         // ... standard error
  std::vector<std::pair<int, int>> fds;  // {ours, its number in the program (3 or more)}

  std::vector<std::pair<int, rlimit>> limits;  // {RLIMIT_..., soft and hard}
  int death_signal = 0;                        // sent to it when our thread that started it ends; 0: none
  std::optional<int> nice;                     // absolute, -20 to 19
};

// How a process ended.
struct Exit {
  bool signalled = false;
  int status = 0;  // exit code, or the number of the signal that ended it
  bool succeeded() const { return !signalled && status == 0; }
  bool operator==(const Exit&) const = default;
};

std::string to_string(const Exit& exit);  // "exit code 3", "signal 9 (Killed)"

struct Process {
  pid_t pid = -1;
  Fd pidfd;  // readable when it has ended
};

// argv[0] is a path; PATH is not searched. Returns when the program is running. An error's code is the errno;
// its message distinguishes a program that cannot be executed ("cannot execute /usr/local/bin/check:
// Permission denied") from a failed preparation ("changing to user 997: Operation not permitted"). Waits two
// seconds at most (ETIMEDOUT: a file system that hangs).
Result<Process> spawn(const std::vector<std::string>& argv, const SpawnOptions& options = {});

// Takes over a child of this process that an earlier program in the same process started (before execve).
// ESRCH: there is none.
Result<Process> adopt_child(pid_t pid);

// Sends a signal. ESRCH: it has ended.
Result<> kill(const Process& process, int signal);

// Signals the whole group that spawn made with process_group. Call it before reap: afterwards the number may
// belong to another process.
Result<> kill_group(pid_t pid, int signal);

// How it ended, or nothing if it still runs. Does not block. Call it once the pidfd is readable, until it
// returns an Exit.
Result<std::optional<Exit>> reap(const Process& process);

}  // namespace vipd::io
