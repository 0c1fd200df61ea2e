// HookRunner: runs the programs configured for changes of state and other events, in the guardian: it has the
// rights, and gets states from the router itself, not from the monitor, which talks to untrusted clients.
// programs/guardian/hook_plan decides which programs run, hook_queue in which order, and local_executor runs
// the processes.
//
// It never waits: it starts one program per turn, none during a hold, and a FIFO without a reader loses the
// line.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "conf/config.h"
#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/log.h"
#include "programs/guardian/event_fifos.h"
#include "programs/guardian/hook_plan.h"
#include "programs/guardian/hook_queue.h"
#include "programs/guardian/local_executor.h"

namespace vipd::programs {

class HookRunner {
 public:
  // tell: called with the event of a failed hook.
  using Tell = std::function<void(std::string_view name, std::string text, events::Fields fields)>;

  HookRunner(Log& log, LocalExecutor& programs, Tell tell);

  // A reload. Running programs continue.
  void replace(const conf::Config& config);

  // Events of one moment. trusted: from the router or the guardian; only they may report changes of state.
  void happened(const std::vector<events::Event>& events, bool trusted);

  bool busy() const { return !queue_.empty(); }
  // may_start: nothing urgent prevents starting a program.
  void step(TimePoint now, bool may_start);
  TimePoint deadline(TimePoint now, bool may_start) const;

 private:
  struct Step {
    HookStep wanted;
    LocalExecutor::Program program;
  };
  struct Running {
    std::vector<Step> steps;  // remaining ones, the next one last
    std::unique_ptr<checks::ScriptRun> run;
    bool ended = false;
  };

  void push(const events::Event& event, bool state);
  std::vector<Step> prepared(const HookJob& job) const;
  void start_next(const HookQueue::Lane& lane);
  void ended(const HookQueue::Lane& lane, const std::string& name, const checks::ScriptOutcome& outcome);
  void write_fifos(const events::Event& event, bool state);
  void note_dropped();

  Log& log_;
  LocalExecutor& programs_;
  Tell tell_;
  HookPlan plan_;
  std::map<std::string, LocalExecutor::Program> users_;  // how programs of each user are run
  EntryStates states_;
  HookQueue queue_;
  std::map<HookQueue::Lane, Running> running_;
  EventFifos fifos_;
  std::uint64_t dropped_told_ = 0;
};

// The webhooks and mails that the monitor sends, with the secrets that only the guardian may read. A secret
// that cannot be read is reported.
DeliverySettings delivery_settings(const conf::Config& config, Log& log);

}  // namespace vipd::programs
