#include "io/process.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

extern "C" {
#include <sys/pidfd.h>  // glibc 2.36 forgot that C++ would include it
}

#include <algorithm>
#include <cassert>
#include <climits>
#include <cstring>

#include "io/clock.h"

namespace vipd::io {

namespace {

constexpr Duration longest_start = std::chrono::seconds(2);

// The steps of the child before exec, in their order; a failure names one.
enum class Step : int {
  process_group,
  limits,
  nice,
  descriptors,
  group,
  user,
  capabilities,
  directory,
  no_new_privs,
  death_signal,
  execute,
};

struct StartFailure {
  Step step;
  int code;
};

// Everything the child needs, prepared before fork: between fork and exec it must not allocate or lock.
struct Plan {
  const SpawnOptions& options;
  std::vector<char*> argv;
  std::vector<char*> environment;
  std::vector<std::pair<int, int>> fds;  // {ours, its}, sorted by its
  int first_free = 3;                    // above all descriptor numbers of the program
  pid_t parent = 0;
  int report = -1;  // where to write a StartFailure
};

Plan make_plan(const std::vector<std::string>& argv, const SpawnOptions& options, int null_device) {
  Plan plan{options, {}, {}, {}, 3, getpid(), -1};
  for (const auto& argument : argv) plan.argv.push_back(const_cast<char*>(argument.c_str()));
  plan.argv.push_back(nullptr);
  if (options.environment) {
    for (const auto& variable : *options.environment)
      plan.environment.push_back(const_cast<char*>(variable.c_str()));
  } else {
    for (char** variable = environ; *variable; ++variable) plan.environment.push_back(*variable);
  }
  plan.environment.push_back(nullptr);
  const auto or_null = [&](int fd) { return fd >= 0 ? fd : null_device; };
  plan.fds = {{or_null(options.input), 0}, {or_null(options.output), 1}, {or_null(options.error), 2}};
  plan.fds.insert(plan.fds.end(), options.fds.begin(), options.fds.end());
  std::sort(plan.fds.begin(), plan.fds.end(), [](auto& a, auto& b) { return a.second < b.second; });
  plan.first_free = plan.fds.back().second + 1;
  return plan;
}

// --- in the child: system calls only ----------------------------------------------------------------------

[[noreturn]] void fail(const Plan& plan, Step step) {
  const StartFailure report{step, errno};
  [[maybe_unused]] const auto written = ::write(plan.report, &report, sizeof report);
  _exit(127);
}

void check(const Plan& plan, Step step, long result) {
  if (result < 0) fail(plan, step);
}

void default_signals() {
  struct sigaction action{};
  action.sa_handler = SIG_DFL;
  for (int signal = 1; signal < NSIG; ++signal)
    sigaction(signal, &action, nullptr);  // fails for KILL and STOP
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

// Puts each descriptor at its number and marks all others to be closed by exec.
void arrange_descriptors(Plan& plan) {
  // First move them to numbers that do not collide with the targets.
  plan.report = fcntl(plan.report, F_DUPFD_CLOEXEC, plan.first_free);
  for (auto& [ours, its] : plan.fds) {
    ours = fcntl(ours, F_DUPFD_CLOEXEC, plan.first_free);
    check(plan, Step::descriptors, ours);
  }
  int next = 0;
  for (const auto& [ours, its] : plan.fds) {
    check(plan, Step::descriptors, dup2(ours, its));
    if (its > next)
      check(plan, Step::descriptors,
            close_range(static_cast<unsigned>(next), static_cast<unsigned>(its - 1), CLOSE_RANGE_CLOEXEC));
    next = its + 1;
  }
  check(plan, Step::descriptors, close_range(static_cast<unsigned>(next), UINT_MAX, CLOSE_RANGE_CLOEXEC));
}

bool contains(const std::vector<int>& numbers, int number) {
  return std::find(numbers.begin(), numbers.end(), number) != numbers.end();
}

// Before changing the user: drops capabilities from the bounding set and lets the others survive the change.
void prepare_capabilities(const Plan& plan, const std::vector<int>& kept) {
  for (int capability = 0; prctl(PR_CAPBSET_READ, capability) >= 0; ++capability)
    if (!contains(kept, capability)) prctl(PR_CAPBSET_DROP, capability);  // refused without CAP_SETPCAP
  check(plan, Step::capabilities, prctl(PR_SET_KEEPCAPS, 1));
}

void keep_capabilities(const Plan& plan, const std::vector<int>& kept) {
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct sets[_LINUX_CAPABILITY_U32S_3]{};
  for (const int capability : kept) {
    auto& set = sets[CAP_TO_INDEX(capability)];
    const auto mask = CAP_TO_MASK(capability);
    set.effective |= mask, set.permitted |= mask, set.inheritable |= mask;
  }
  check(plan, Step::capabilities, syscall(SYS_capset, &header, sets));
  check(plan, Step::capabilities, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0));
  for (const int capability : kept)
    check(plan, Step::capabilities, prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability, 0, 0));
}

void change_user(const Plan& plan) {
  const auto& options = plan.options;
  if (options.user || options.group) {
    check(plan, Step::group, setgroups(options.groups.size(), options.groups.data()));
    if (options.group) check(plan, Step::group, setresgid(*options.group, *options.group, *options.group));
  }
  if (options.user) check(plan, Step::user, setresuid(*options.user, *options.user, *options.user));
}

[[noreturn]] void become(Plan& plan) {
  const auto& options = plan.options;
  default_signals();
  if (options.process_group) check(plan, Step::process_group, setpgid(0, 0));
  for (const auto& [resource, limit] : options.limits)
    check(plan, Step::limits, setrlimit(static_cast<__rlimit_resource_t>(resource), &limit));
  if (options.nice) check(plan, Step::nice, setpriority(PRIO_PROCESS, 0, *options.nice));
  arrange_descriptors(plan);
  if (options.capabilities) prepare_capabilities(plan, *options.capabilities);
  change_user(plan);
  if (options.capabilities) keep_capabilities(plan, *options.capabilities);
  if (!options.working_directory.empty())
    check(plan, Step::directory, chdir(options.working_directory.c_str()));
  if (options.no_new_privs) check(plan, Step::no_new_privs, prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
  if (options.death_signal != 0) {
    // Last, because changing the user resets it. The parent may have ended before it was set.
    check(plan, Step::death_signal, prctl(PR_SET_PDEATHSIG, options.death_signal));
    if (getppid() != plan.parent) _exit(127);
  }
  execve(plan.argv[0], plan.argv.data(), plan.environment.data());
  fail(plan, Step::execute);
}

// --- in the parent ----------------------------------------------------------------------------------------

std::string describe(Step step, const std::vector<std::string>& argv, const SpawnOptions& options) {
  const auto& program = argv[0];
  switch (step) {
    case Step::execute: return "cannot execute " + program;
    case Step::user:
      return "starting " + program + ": changing to user " + std::to_string(options.user.value_or(0));
    case Step::group:
      return "starting " + program + ": changing to group " + std::to_string(options.group.value_or(0));
    case Step::process_group: return "starting " + program + ": creating a process group";
    case Step::limits: return "starting " + program + ": setting resource limits";
    case Step::nice: return "starting " + program + ": setting the nice value";
    case Step::descriptors: return "starting " + program + ": passing descriptors";
    case Step::capabilities: return "starting " + program + ": setting capabilities";
    case Step::directory:
      return "starting " + program + ": changing to directory " + options.working_directory;
    case Step::no_new_privs: return "starting " + program + ": disabling new privileges";
    case Step::death_signal: return "starting " + program + ": requesting a signal when the parent ends";
  }
  return "starting " + program;
}

// Waits until the child has executed the program (the pipe closes), reports a failure, or takes too long.
Result<> wait_for_start(int pipe, const std::vector<std::string>& argv, const SpawnOptions& options) {
  const auto deadline = now() + longest_start;
  while (true) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - now()).count();
    pollfd wait{pipe, POLLIN, 0};
    const int ready = poll(&wait, 1, static_cast<int>(std::max<std::int64_t>(left, 0)));
    if (ready == 0) return system_failure(describe(Step::execute, argv, options), ETIMEDOUT);
    if (ready < 0 && errno == EINTR) continue;
    StartFailure report{};
    const auto size = ::read(pipe, &report, sizeof report);
    if (size < 0 && errno == EINTR) continue;
    if (size != sizeof report) return {};
    return system_failure(describe(report.step, argv, options), report.code);
  }
}

}  // namespace

Result<Process> spawn(const std::vector<std::string>& argv, const SpawnOptions& options) {
  assert(!argv.empty() && (!options.user || options.group));
  Fd null_device(::open("/dev/null", O_RDWR | O_CLOEXEC));
  if (!null_device) return system_failure("opening /dev/null");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) return system_failure("starting " + argv[0]);
  Fd read_end(ends[0]);
  Fd write_end(ends[1]);
  auto plan = make_plan(argv, options, null_device.get());
  plan.report = write_end.get();

  // Block signals around fork: the handlers of the parent must not run in the child.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Process process;
  process.pid = fork();
  if (process.pid == 0) become(plan);
  const int fork_code = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (process.pid < 0) return system_failure("starting " + argv[0], fork_code);

  write_end.reset();
  process.pidfd = Fd(pidfd_open(process.pid, 0));
  auto started = process.pidfd ? wait_for_start(read_end.get(), argv, options)
                               : Result<>(system_failure("starting " + argv[0]));
  if (started) return process;
  ::kill(process.pid, SIGKILL);
  // Do not wait for a child that hangs in the kernel.
  waitpid(process.pid, nullptr, started.error().code == ETIMEDOUT ? WNOHANG : 0);
  return tl::unexpected(std::move(started).error());
}

Result<Process> adopt_child(pid_t pid) {
  Process process{pid, Fd(pidfd_open(pid, 0))};
  if (!process.pidfd) return system_failure("taking over process " + std::to_string(pid));
  return process;
}

Result<> kill(const Process& process, int signal) {
  if (pidfd_send_signal(process.pidfd.get(), signal, nullptr, 0) != 0)
    return system_failure("sending signal " + std::to_string(signal) + " to process " +
                          std::to_string(process.pid));
  return {};
}

Result<> kill_group(pid_t pid, int signal) {
  assert(pid > 1);
  if (::kill(-pid, signal) != 0)
    return system_failure("sending signal " + std::to_string(signal) + " to process group " +
                          std::to_string(pid));
  return {};
}

Result<std::optional<Exit>> reap(const Process& process) {
  siginfo_t info{};
  if (waitid(static_cast<idtype_t>(P_PIDFD), static_cast<id_t>(process.pidfd.get()), &info,
             WEXITED | WNOHANG) != 0)
    return system_failure("waiting for process " + std::to_string(process.pid));
  if (info.si_pid == 0) return std::nullopt;
  return Exit{info.si_code != CLD_EXITED, info.si_status};
}

std::string to_string(const Exit& exit) {
  if (!exit.signalled) return "exit code " + std::to_string(exit.status);
  const char* name = strsignal(exit.status);
  return "signal " + std::to_string(exit.status) + " (" + (name ? name : "unknown") + ")";
}

}  // namespace vipd::io
