// HookRunner: runs the programs configured for changes of state and other events, in the guardian: it has the
// rights, and gets states from the router itself, not from the monitor, which talks to untrusted clients.
// programs/guardian/hook_queue decides which hooks run and in which order; programs/guardian/local_executor runs the processes.
//
// It never waits: it starts one program per turn, none during a hold, and a FIFO without a reader loses the
// line.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/config.h"
#include "programs/common/log.h"
#include "programs/common/messages.h"
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
  // The hooks of one entry, or the global ones ("").
  struct Prepared {
    std::string router;
    events::Hooks config;
    std::map<std::string, LocalExecutor::Program> on_state;
    std::optional<LocalExecutor::Program> on_event;
  };
  // A named pipe that other programs read.
  struct Fifo {
    io::Fd fd;
    std::string trouble;  // the reported reason why nothing is written; empty: it works
  };
  struct Step {
    std::string name;  // "on_active of edge"
    LocalExecutor::Program program;
    std::vector<std::string> environment;
    Duration timeout{};
  };
  struct Running {
    std::vector<Step> steps;  // remaining ones, the next one last
    std::unique_ptr<checks::ScriptRun> run;
    bool ended = false;
  };

  static Prepared prepare(const std::string& router, const events::Hooks& config);
  std::vector<const Prepared*> of(const std::string& router) const;
  void push(const events::Event& event, bool state);
  std::vector<Step> steps(const HookJob& job) const;
  void add_units(std::vector<Step>& steps, const Prepared& hooks, const HookJob& job) const;
  void start_next(const HookQueue::Lane& lane);
  void ended(const HookQueue::Lane& lane, const std::string& name, const checks::ScriptOutcome& outcome);
  void write_fifos(const events::Event& event, bool state);
  static Result<> open_fifo(Fifo& fifo, const std::string& path);
  static Result<> write_fifo(Fifo& fifo, const std::string& path, const std::string& line);
  void note_dropped();

  Log& log_;
  LocalExecutor& programs_;
  Tell tell_;
  std::vector<Prepared> hooks_;
  EntryStates states_;
  HookQueue queue_;
  std::map<HookQueue::Lane, Running> running_;
  std::map<std::string, Fifo> fifos_;  // by path
  std::uint64_t dropped_told_ = 0;
};

// The webhooks and mails that the monitor sends, with the secrets that only the guardian may read. A secret
// that cannot be read is reported.
DeliverySettings delivery_settings(const conf::Config& config, Log& log);

}  // namespace vipd::programs
