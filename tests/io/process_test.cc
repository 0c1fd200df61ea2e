#include "io/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <iterator>

#include "tests/network.h"

using namespace vipd;
using namespace vipd::io;
using namespace vipd::test;

namespace {

struct Pipe {
  Fd read_end, write_end;
};

Pipe make_pipe() {
  int ends[2];
  REQUIRE(pipe2(ends, O_CLOEXEC) == 0);
  return {Fd(ends[0]), Fd(ends[1])};
}

Exit wait_for(const Process& process) {
  REQUIRE(readable(process.pidfd.get(), 5000));
  const auto exit = reap(process);
  REQUIRE(exit);
  REQUIRE(*exit);
  return **exit;
}

// The output of a shell command and its exit.
struct Ran {
  std::string output;
  Exit exit;
};

Ran run_shell(const std::string& script, SpawnOptions options = {}) {
  auto pipe = make_pipe();
  options.output = pipe.write_end.get();
  auto process = spawn({"/bin/sh", "-c", script}, options);
  REQUIRE_MESSAGE(process, (process ? "" : process.error().message));
  pipe.write_end.reset();
  Ran ran;
  std::array<char, 4096> part;
  while (const auto size = read(pipe.read_end.get(), part.data(), part.size())) {
    REQUIRE(size > 0);
    ran.output.append(part.data(), static_cast<std::size_t>(size));
  }
  ran.exit = wait_for(*process);
  return ran;
}

// A file in its own directory; both are removed at the end.
class Script {
 public:
  Script(const std::string& content, mode_t mode) {
    std::array<char, 32> path{"/tmp/vipd-test-XXXXXX"};
    REQUIRE(mkdtemp(path.data()));
    directory_ = path.data();
    std::ofstream(this->path()) << content;
    REQUIRE(chmod(this->path().c_str(), mode) == 0);
  }
  Script(const Script&) = delete;
  ~Script() {
    unlink(path().c_str());
    rmdir(directory_.c_str());
  }
  std::string path() const { return directory_ + "/script"; }

 private:
  std::string directory_;
};

std::string failure_of(const std::vector<std::string>& argv, const SpawnOptions& options = {}) {
  const auto process = spawn(argv, options);
  REQUIRE_FALSE(process);
  return process.error().message;
}

}  // namespace

TEST_CASE("a program runs with unchanged arguments, and its exit is reported") {
  const auto ran = run_shell("exit 3");
  CHECK(ran.exit == Exit{false, 3});
  CHECK(to_string(ran.exit) == "exit code 3");

  auto pipe = make_pipe();
  SpawnOptions options;
  options.output = pipe.write_end.get();
  auto process = spawn({"/usr/bin/printf", "%s|", "a b", "$(id)", ""}, options).value();
  CHECK(wait_for(process).succeeded());
  std::array<char, 64> output{};
  CHECK(read(pipe.read_end.get(), output.data(), output.size()) > 0);
  CHECK(std::string(output.data()) == "a b|$(id)||");
}

TEST_CASE("the error about a program that cannot be executed names it and the reason") {
  const Script not_executable("#!/bin/sh\n", 0644);
  const Script no_interpreter("#!/nowhere/sh\n", 0755);
  const Script no_program("hello\n", 0755);
  CHECK(failure_of({"/nowhere/check"}) == "cannot execute /nowhere/check: No such file or directory");
  CHECK(failure_of({"/tmp"}) == "cannot execute /tmp: Permission denied");
  CHECK(failure_of({not_executable.path()}) ==
        "cannot execute " + not_executable.path() + ": Permission denied");
  CHECK(failure_of({no_interpreter.path()}) ==
        "cannot execute " + no_interpreter.path() + ": No such file or directory");
  CHECK(failure_of({no_program.path()}) == "cannot execute " + no_program.path() + ": Exec format error");
  CHECK(spawn({"/nowhere/check"}).error().code == ENOENT);
}

TEST_CASE("the error about a failed preparation names the step") {
  require_own_namespace();
  SpawnOptions options;
  options.working_directory = "/nowhere";
  CHECK(failure_of({"/bin/true"}, options) ==
        "starting /bin/true: changing to directory /nowhere: No such file or directory");
  options = {};
  options.fds = {{9999, 3}};
  CHECK(failure_of({"/bin/true"}, options) == "starting /bin/true: passing descriptors: Bad file descriptor");
}

TEST_CASE("a program gets exactly the given descriptors, at their numbers") {
  // Numbers that cross each other, and one that is open here without close-on-exec.
  auto first = make_pipe();
  auto second = make_pipe();
  REQUIRE(write(first.write_end.get(), "one\n", 4) == 4);
  REQUIRE(write(second.write_end.get(), "two\n", 4) == 4);
  const Fd careless(open("/dev/null", O_RDONLY));
  SpawnOptions options;
  options.fds = {{first.read_end.get(), second.read_end.get()},
                 {second.read_end.get(), first.read_end.get()},
                 {first.read_end.get(), 40}};
  const auto crossed =
      run_shell("read a <&" + std::to_string(second.read_end.get()) + "; read b <&" +
                    std::to_string(first.read_end.get()) + "; echo $a $b; ls -l /proc/self/fd",
                options);
  CHECK(contains(crossed.output, "one two\n"));
  CHECK(contains(crossed.output, " 40 -> pipe:"));
  CHECK_FALSE(contains(crossed.output, " " + std::to_string(careless.get()) + " -> /dev/null"));
  CHECK_FALSE(contains(crossed.output, " " + std::to_string(first.write_end.get()) + " -> pipe"));
  // stdin (/dev/null), stdout, stderr, three of ours, and the directory that ls has open
  CHECK(std::count(crossed.output.begin(), crossed.output.end(), '>') == 7);
}

TEST_CASE("standard input is /dev/null by default") {
  CHECK(run_shell("cat; readlink /proc/self/fd/0").output == "/dev/null\n");
  auto pipe = make_pipe();
  REQUIRE(write(pipe.write_end.get(), "hello", 5) == 5);
  pipe.write_end.reset();
  SpawnOptions options;
  options.input = pipe.read_end.get();
  CHECK(run_shell("cat", options).output == "hello");
}

TEST_CASE("a program inherits the environment, or gets exactly the given one") {
  SpawnOptions options;
  options.environment = {"ONE=1", "TWO=2 3"};
  options.working_directory = "/usr";
  CHECK(run_shell("/usr/bin/env | grep -v ^PWD | grep -v ^_ | sort; pwd", options).output ==
        "ONE=1\nTWO=2 3\n/usr\n");
  CHECK(contains(run_shell("/usr/bin/env").output, "PATH="));
}

TEST_CASE("a program starts with default signals, none blocked") {
  sigset_t usr1;
  sigemptyset(&usr1);
  sigaddset(&usr1, SIGUSR1);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &usr1, &before);
  auto* const pipe_before = signal(SIGPIPE, SIG_IGN);
  const auto ran = run_shell("grep -E 'Sig(Blk|Ign)' /proc/self/status");
  signal(SIGPIPE, pipe_before);
  CHECK(ran.output == "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n");
  sigset_t after;
  pthread_sigmask(SIG_SETMASK, &before, &after);
  CHECK(sigismember(&after, SIGUSR1) == 1);  // those of this process have not changed
  CHECK(sigismember(&after, SIGUSR2) == sigismember(&before, SIGUSR2));
}

TEST_CASE("limits, niceness and no_new_privs are applied") {
  SpawnOptions options;
  options.limits = {{RLIMIT_NOFILE, {64, 65}}, {RLIMIT_CORE, {0, 0}}};
  options.nice = 7;
  options.no_new_privs = true;
  CHECK(run_shell("ulimit -Sn; ulimit -Hn; nice; grep NoNewPrivs /proc/self/status", options).output ==
        "64\n65\n7\nNoNewPrivs:\t1\n");
}

TEST_CASE("a program has exactly the given capabilities, and can never gain others") {
  require_own_namespace();
  constexpr int net_admin = 12;
  constexpr int net_raw = 13;
  SpawnOptions options;
  options.capabilities = {{net_admin, net_raw}};
  CHECK(run_shell("grep -E 'Cap(Inh|Bnd|Amb)' /proc/self/status", options).output ==
        "CapInh:\t0000000000003000\nCapBnd:\t0000000000003000\nCapAmb:\t0000000000003000\n");
  options.capabilities = std::vector<int>{};
  CHECK(run_shell("grep -E 'Cap(Eff|Prm|Bnd)' /proc/self/status", options).output ==
        "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n");
}

TEST_CASE("a program runs as another user without the groups of this one, or not at all") {
  require_own_namespace();
  SpawnOptions options;
  options.user = 65534;
  options.group = 65533;
  options.groups = {65532};
  std::ifstream setgroups("/proc/self/setgroups");
  std::string allowed;
  setgroups >> allowed;
  std::ifstream map("/proc/self/uid_map");
  const bool one_user = std::count(std::istreambuf_iterator<char>(map), {}, '\n') == 1 && allowed != "allow";
  if (one_user) {
    // An unprivileged user namespace has no other user.
    const auto process = spawn({"/bin/true"}, options);
    REQUIRE_FALSE(process);
    CHECK(process.error().message.starts_with("starting /bin/true: changing to group 65533: "));
    return;
  }
  options.capabilities = {{13}};
  options.no_new_privs = true;
  CHECK(run_shell("id -u; id -g; id -G; grep -E 'Cap(Prm|Eff|Bnd|Amb)' /proc/self/status", options).output ==
        "65534\n65533\n65533 65532\nCapPrm:\t0000000000002000\nCapEff:\t0000000000002000\n"
        "CapBnd:\t0000000000002000\nCapAmb:\t0000000000002000\n");
}

TEST_CASE("a whole process group ends at once, including grandchildren") {
  auto pipe = make_pipe();
  SpawnOptions options;
  options.process_group = true;
  options.output = pipe.write_end.get();
  auto process =
      spawn({"/bin/sh", "-c", "trap '' TERM; sleep 1000 & sleep 1000 & echo up; wait; wait"}, options)
          .value();
  pipe.write_end.reset();
  std::array<char, 8> up{};
  REQUIRE(read(pipe.read_end.get(), up.data(), up.size()) == 3);

  CHECK_FALSE(reap(process).value());  // still running
  REQUIRE(kill_group(process.pid, SIGKILL));
  const auto exit = wait_for(process);
  CHECK(exit == Exit{true, SIGKILL});
  CHECK(to_string(exit) == "signal 9 (Killed)");
  // The pipe closes when the last child that has it open ends.
  CHECK(readable(pipe.read_end.get(), 2000));
  CHECK(read(pipe.read_end.get(), up.data(), up.size()) == 0);
}

TEST_CASE("a signal to a process that has ended is an error") {
  auto process = spawn({"/bin/true"}).value();
  CHECK(wait_for(process).succeeded());
  const auto killed = kill(process, SIGKILL);
  REQUIRE_FALSE(killed);
  CHECK(killed.error().code == ESRCH);
}

TEST_CASE("a program with a death signal ends with its parent") {
  // A child starts a grandchild that holds a pipe, and is killed.
  auto pipe = make_pipe();
  const pid_t child = fork();
  REQUIRE(child >= 0);
  if (child == 0) {
    SpawnOptions options;
    options.death_signal = SIGKILL;
    options.output = pipe.write_end.get();
    const auto grandchild = spawn({"/bin/sh", "-c", "echo up; exec sleep 1000"}, options);
    pipe.write_end.reset();
    pause();
    _exit(0);
  }
  pipe.write_end.reset();
  std::array<char, 8> up{};
  REQUIRE(read(pipe.read_end.get(), up.data(), up.size()) == 3);
  REQUIRE(::kill(child, SIGKILL) == 0);
  CHECK(readable(pipe.read_end.get(), 2000));
  CHECK(read(pipe.read_end.get(), up.data(), up.size()) == 0);
  REQUIRE(waitpid(child, nullptr, 0) == child);
}
