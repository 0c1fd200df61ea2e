#include "programs/common/scheduling.h"

#include <fmt/format.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstring>

namespace vipd::programs {

void ask_for_priority(Log& log) {
  sched_param parameters{};
  parameters.sched_priority = 2;
  if (sched_setscheduler(0, SCHED_RR | SCHED_RESET_ON_FORK, &parameters) != 0)
    log.warning(fmt::format(
        "no real-time priority ({}): on a busy machine advertisements may be late; CAP_SYS_NICE, and "
        "a cgroup with a real-time budget, give it",
        std::strerror(errno)));
  // With a limit on locked memory, locking future memory would make ordinary allocations fail, even with
  // CAP_IPC_LOCK if that belongs to a user namespace only. vipd lifts the limit, and the other programs
  // inherit that.
  const rlimit none{RLIM_INFINITY, RLIM_INFINITY};
  const bool unlimited = setrlimit(RLIMIT_MEMLOCK, &none) == 0;
  if (!unlimited || mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) != 0)
    log.warning(
        fmt::format("memory cannot be locked ({}): under memory pressure advertisements may be late; "
                    "CAP_IPC_LOCK, and LimitMEMLOCK=infinity or CAP_SYS_RESOURCE, allow it",
                    std::strerror(errno)));
}

}  // namespace vipd::programs
