// Upgrade: asks the program that is installed now whether it could take over from the one that runs, before
// anything of the running one is given up. The program is started beside it with the state that it would get
// (`vipd --check-handover`), reads it, and tries its router and monitor.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "daemon/handover.h"
#include "io/loop.h"
#include "io/process.h"

namespace vipd::daemon {

class Upgrade {
 public:
  // Called once: the version of the new program, or why it cannot take over. Not from within begin().
  using Asked = std::function<void(Result<std::string> version)>;

  static Result<std::unique_ptr<Upgrade>> begin(io::Loop& loop, const std::string& program,
                                                const Handover& handover, TimePoint now, Asked asked);
  ~Upgrade();

  void tick(TimePoint now);
  TimePoint deadline() const { return deadline_; }

 private:
  Upgrade(Asked asked, TimePoint deadline) : asked_(std::move(asked)), deadline_(deadline) {}
  void ended();

  Asked asked_;
  TimePoint deadline_;
  io::Process process_;
  io::Watch ended_;
  io::Fd output_;
  std::string text_;
  bool done_ = false;
};

// --- the new program's side of it: `vipd --check-handover FD` ---
// Prints its version, or on standard error why it cannot. Returns the exit code.
int check_handover(int fd);

}  // namespace vipd::daemon
