// Upgrade: checks whether the installed program can take over from the running one, before the running one
// gives up anything. Starts the installed program beside it with the state that it would get (`vipd
// --check-handover`); that program reads the state, and tries its router and monitor.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "io/loop.h"
#include "io/process.h"
#include "programs/guardian/handover.h"

namespace vipd::programs {

class Upgrade {
 public:
  // Called once, not from within begin(): the version of the new program, or the reason why it cannot take
  // over.
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

// --- in the new program: `vipd --check-handover FD` ---
// Prints its version, or on standard error the reason why it cannot take over. Returns the exit code.
int check_handover(int fd);

}  // namespace vipd::programs
