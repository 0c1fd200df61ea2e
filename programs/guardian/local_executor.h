// LocalExecutor: starts the scripts of checks as children of this process.
//
// Each run has no shell, none of this process's descriptors, a small fixed environment, the working directory
// /, a process group of its own, and the user of the check. When its time is over, the whole group gets
// SIGTERM, and half a second later SIGKILL. Processes of the group that remain after the script itself has
// ended are killed too, so that they do not accumulate. The first 4 KiB of each output are kept; the rest is
// read and discarded.
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

  // Sets the checks whose scripts may run: those of kind script among `checks`. Running scripts are not
  // affected. Looks up users, which can take time if they are in a directory service.
  void replace(const std::vector<checks::CheckConfig>& checks);

  // For an unknown check the outcome is not_started.
  std::unique_ptr<checks::ScriptRun> run_script(const std::string& check, Duration timeout,
                                                Done done) override;

  // Any other program, such as a user's hook. Names of users are looked up once, not at each run.
  struct Program {
    std::vector<std::string> argv;
    io::SpawnOptions options;
    std::string trouble;  // why it cannot be run; empty: it can
  };
  // user: a name, or empty for the default. A program that runs as root keeps the capabilities of this
  // process.
  static Program prepare(std::vector<std::string> argv, const std::string& user);
  // As run_script, except that done is called when the program has really ended, also after a timeout: the
  // next run for the same purpose must not overtake it. environment: "NAME=value", in addition to PATH and
  // LANG.
  std::unique_ptr<checks::ScriptRun> run_program(const std::string& name, const Program& program,
                                                 std::vector<std::string> environment, Duration timeout,
                                                 Done done);

  // Kills all runs without calling done. Returns their process numbers: another program must reap them.
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
    bool patient = false;      // done waits for its end, even after its time is over
    bool late = false;         // its time was over
    bool terminating = false;  // SIGTERM has been sent, SIGKILL follows at the deadline
    Done done;                 // empty: has been called or cancelled
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
