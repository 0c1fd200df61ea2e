#include "programs/common/seccomp_filter.h"

#include <fmt/format.h>
#include <seccomp.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <initializer_list>
#include <memory>

namespace vipd::programs {

namespace {
// The system calls that our programs and the C library make. The library ignores names that an architecture
// does not have.
constexpr std::initializer_list<const char*> common{
    // memory
    "brk", "mmap", "munmap", "mremap", "mprotect", "madvise", "mlockall", "mlock", "mlock2", "memfd_create",
    "membarrier", "rseq", "set_robust_list", "get_robust_list",
    // descriptors
    "read", "readv", "pread64", "write", "writev", "pwrite64", "close", "close_range", "dup", "dup2", "dup3",
    "fcntl", "lseek", "ftruncate", "pipe2", "eventfd2", "ioctl", "fstat", "newfstatat", "fstatat64", "statx",
    "stat", "lstat", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "open", "openat",
    "openat2", "getdents64", "fadvise64", "poll", "ppoll", "select", "pselect6", "epoll_create1", "epoll_ctl",
    "epoll_wait", "epoll_pwait", "epoll_pwait2", "timerfd_create", "timerfd_settime", "timerfd_gettime",
    "signalfd4", "statfs", "fstatfs",
    // sockets
    "socket", "socketpair", "bind", "connect", "listen", "accept", "accept4", "getsockname", "getpeername",
    "getsockopt", "setsockopt", "send", "sendto", "sendmsg", "sendmmsg", "recv", "recvfrom", "recvmsg",
    "recvmmsg", "shutdown",
    // time and identity
    "clock_gettime", "clock_getres", "clock_nanosleep", "nanosleep", "gettimeofday", "time", "getpid",
    "gettid", "getppid", "getuid", "geteuid", "getgid", "getegid", "getgroups", "getrandom", "uname",
    "sysinfo", "getrlimit", "getrusage", "times", "getcpu", "capget", "prctl",
    // signals and the end
    "rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "rt_sigtimedwait", "sigaltstack", "sigreturn", "tgkill",
    "exit", "exit_group", "restart_syscall", "futex", "futex_waitv", "sched_yield"};

// Apart from sanitizers and debuggers, the router has one thread. The monitor's libraries start threads, and
// it keeps the journal of events.
constexpr std::initializer_list<const char*> router_only{"sched_setscheduler", "sched_getscheduler",
                                                         "sched_getparam", "setrlimit", "prlimit64"};
constexpr std::initializer_list<const char*> monitor_only{
    "prlimit64", "sched_getaffinity", "flock", "getpriority", "setpriority", "mkdir", "mkdirat",
    "unlink",    "unlinkat",          "fsync", "fdatasync"};

void allow(scmp_filter_ctx filter, std::initializer_list<const char*> names, int& error) {
  for (const char* name : names) {
    const int number = seccomp_syscall_resolve_name(name);
    if (number == __NR_SCMP_ERROR) continue;
    if (const int code = seccomp_rule_add(filter, SCMP_ACT_ALLOW, number, 0); code != 0) error = -code;
  }
}

// Threads, but no processes: clone without a namespace, and as a thread.
void allow_threads(scmp_filter_ctx filter) {
  constexpr scmp_datum_t thread = 0x00010000;  // CLONE_THREAD
  seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(clone), 1, SCMP_A0(SCMP_CMP_MASKED_EQ, thread, thread));
  // A filter cannot read its flags, which are in memory. If clone3 fails, the C library uses clone.
  seccomp_rule_add(filter, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);
}

const char* own_name = "vipd";

void violated(int, siginfo_t* information, void*) {
  char* name = seccomp_syscall_resolve_num_arch(information->si_arch, information->si_syscall);
  char line[160];
  const auto end =
      fmt::format_to_n(line, sizeof line - 1,
                       "{}: error: forbidden system call {} ({}): ending (see --no-sandbox in vipd(8))\n",
                       own_name, name ? name : "?", information->si_syscall);
  [[maybe_unused]] const auto written =
      write(STDERR_FILENO, line, std::min<std::size_t>(end.size, sizeof line - 1));
  _exit(128 + SIGSYS);
}
}  // namespace

Result<> restrict_system_calls(Part part) {
  own_name = part == Part::router ? "vipd-router" : "vipd-monitor";
  struct sigaction action{};
  action.sa_sigaction = violated;
  action.sa_flags = SA_SIGINFO;
  sigaction(SIGSYS, &action, nullptr);
  const std::unique_ptr<void, void (*)(scmp_filter_ctx)> filter(seccomp_init(SCMP_ACT_TRAP), seccomp_release);
  if (!filter) return failure("making a filter of system calls");
  int error = 0;
  allow(filter.get(), common, error);
  if (part == Part::router) {
    allow(filter.get(), router_only, error);
  } else {
    allow(filter.get(), monitor_only, error);
    allow_threads(filter.get());
  }
  if (error != 0) return system_failure("making a filter of system calls", error);
  if (const int code = seccomp_load(filter.get()); code != 0)
    return system_failure("the kernel does not accept a filter of system calls", -code);
  return {};
}

}  // namespace vipd::programs
