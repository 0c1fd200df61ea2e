// HookPlan: what the configured hooks require for an event: which programs run, in which order and with which
// arguments, and which line goes into which FIFO. It decides; programs/guardian/hook_queue decides when, and
// programs/guardian/hook_runner does it.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "conf/config.h"
#include "programs/guardian/hook_queue.h"

namespace vipd::programs {

// A program to run.
struct HookStep {
  std::string name;  // "on_active of edge"
  std::vector<std::string> argv;
  std::vector<std::string> environment;
  std::string user;  // empty: the one of checks
  Duration timeout{};
};

struct FifoLine {
  std::string path;
  std::string line;  // without a line break
};

class HookPlan {
 public:
  HookPlan() = default;  // no hooks
  explicit HookPlan(const conf::Config& config);

  // The hooks of the entry come before the global ones. on_active runs before units are started, the programs
  // for other states after they are stopped.
  std::vector<HookStep> steps(const HookJob& job) const;
  // The keepalived format has changes of state of entries; JSON has all events, as the virtual routers report
  // them. state: the event is a change of state of an entry.
  std::vector<FifoLine> lines(const events::Event& event, bool state) const;

  std::set<std::string> users() const;  // that programs run as
  std::set<std::string> fifos() const;

 private:
  // The hooks of one entry, or the global ones ("").
  struct Named {
    std::string router;
    events::Hooks hooks;
  };
  std::vector<const events::Hooks*> of(const std::string& router) const;

  std::vector<Named> all_;
};

}  // namespace vipd::programs
