// ScriptExecutor: runs the script of a check. It is an interface because the monitor must not run scripts:
// there the implementation sends the name of the check to the guardian, which has the rights to change the
// user. The guardian uses LocalExecutor.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/archive.h"
#include "base/time.h"

namespace vipd::checks {

// How a run of a script ended.
struct ScriptOutcome {
  enum class End : std::uint8_t {
    exited,       // status is the exit code
    signalled,    // status is the number of the signal
    timed_out,    // and was killed
    not_started,  // trouble says why
  };
  End end = End::not_started;
  int status = 0;
  std::string output;   // first line of standard output, without the newline; at most 4 KiB
  std::string errors;   // ... of standard error
  std::string trouble;  // not_started: "cannot execute /usr/lib/x/check: No such file or directory"
  bool operator==(const ScriptOutcome&) const = default;
};

constexpr bool known(ScriptOutcome::End end) {
  return end <= ScriptOutcome::End::not_started;
}
template <class A>
constexpr void fields(A& a, Is<ScriptOutcome> auto& outcome) {
  a("end", outcome.end)("status", outcome.status)("output", outcome.output)("errors", outcome.errors)(
      "trouble", outcome.trouble);
}

// A running script. Destroying it ends the script and its children, without calling done.
class ScriptRun {
 public:
  ScriptRun() = default;
  ScriptRun(const ScriptRun&) = delete;
  ScriptRun& operator=(const ScriptRun&) = delete;
  virtual ~ScriptRun() = default;
};

class ScriptExecutor {
 public:
  using Done = std::function<void(const ScriptOutcome& outcome)>;

  virtual ~ScriptExecutor() = default;

  // check: CheckConfig::name of a check of kind script. done is called once, possibly before this call
  // returns.
  virtual std::unique_ptr<ScriptRun> run_script(const std::string& check, Duration timeout, Done done) = 0;
};

}  // namespace vipd::checks
