// LocalExecutor: starts the scripts of checks as children of this process.
//
// Each run: no shell, no descriptor of ours, a small fixed environment, working directory /, a process group
// of its own, and the user of the check. Its time is bounded: SIGTERM to the whole group, and SIGKILL half a
// second later. What is left of the group when the script itself has ended is killed too, so that nothing
// piles up. The first 4 KiB of each output are kept, more is read and forgotten.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "checks/script_executor.h"
#include "checks/settings/check.h"
#include "io/loop.h"
#include "io/process.h"

namespace vipd::programs {

class LocalExecutor : public checks::ScriptExecutor {
 public:
  explicit LocalExecutor(io::Loop& loop, std::function<TimePoint()> clock);
  LocalExecutor(const LocalExecutor&) = delete;
  ~LocalExecutor() override;  // kills what still runs

  // The checks whose scripts may be run: those of kind script among `checks`. What runs is not touched.
  // Looks users up, which can take time where they are in a directory service.
  void replace(const std::vector<checks::CheckConfig>& checks);

  // Of a check that is not known, the outcome is not_started.
  std::unique_ptr<checks::ScriptRun> run_script(const std::string& check, Duration timeout,
                                                Done done) override;

  // Any other program, as a user's hook is. The names of users are looked up once, not at each run.
  struct Program {
    std::vector<std::string> argv;
    io::SpawnOptions options;
    std::string trouble;  // not empty: cannot be run, and why
  };
  // user: a name, or empty for the default. A program for root keeps what rights we have.
  static Program prepare(std::vector<std::string> argv, const std::string& user);
  // The same rules as for scripts, but that done is called when it is really over, after a timeout too: the
  // next one for the same thing must not overtake it. environment: "NAME=value", besides PATH and LANG.
  std::unique_ptr<checks::ScriptRun> run_program(const std::string& name, const Program& program,
                                                 std::vector<std::string> environment, Duration timeout,
                                                 Done done);

  // Kills what runs, for somebody else to reap: their process numbers. Nobody is told.
  std::vector<std::int32_t> abandon();

  void step(TimePoint now);
  TimePoint next_deadline() const;

 private:
  // One of the two outputs of a run.
  struct Capture {
    io::Fd fd;
    io::Watch watch;
    std::string text;
    std::size_t seen = 0;
  };
  struct Run {
    std::string check;
    io::Process process;
    io::Watch ended;
    Capture output;
    Capture errors;
    TimePoint deadline;
    bool patient = false;      // its end is waited for, even if its time is over
    bool late = false;         // its time was over
    bool terminating = false;  // SIGTERM has been sent, SIGKILL follows at the deadline
    Done done;                 // empty: nobody waits any more
  };
  using Runs = std::map<std::uint64_t, Run>;
  class Handle;

  static Program make_script(const checks::CheckConfig& check);
  Result<std::uint64_t> start(const std::string& name, const Program& program, Duration timeout);
  void watch_output(std::uint64_t number, Capture& capture);
  void process_ended(std::uint64_t number);
  void terminate(Run& run, TimePoint now);
  void cancel(std::uint64_t number);

  io::Loop& loop_;
  std::function<TimePoint()> clock_;
  std::map<std::string, Program> scripts_;
  Runs runs_;
  std::uint64_t numbers_ = 0;
};

}  // namespace vipd::programs
