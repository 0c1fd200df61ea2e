// Hooks: runs what is configured for changes of state and other events, in the guardian: it has the rights,
// and hears of states from the router itself, not by way of the monitor, which strangers talk to. What is
// run, and in which order, is decided by events/hook_queue; processes are health/local_executor's.
//
// It never waits: programs are started one a turn, none while the guardian advertises in the router's place,
// and a FIFO without a reader loses its line.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "conf/config.h"
#include "daemon/log.h"
#include "daemon/messages.h"
#include "events/hook_queue.h"
#include "health/local_executor.h"

namespace vipd::daemon {

class Hooks {
 public:
  // tell: an event of our own, that a hook has failed.
  using Tell = std::function<void(std::string_view name, std::string text, events::Fields fields)>;

  Hooks(Log& log, health::LocalExecutor& programs, Tell tell);

  // A reload. What runs goes on.
  void replace(const conf::Config& config);

  // What has come together. trusted: from the router or the guardian; changes of state are believed from them
  // alone.
  void happened(const std::vector<events::Event>& events, bool trusted);

  bool busy() const { return !queue_.empty(); }
  // may_start: nothing else is urgent.
  void step(TimePoint now, bool may_start);
  TimePoint deadline(TimePoint now, bool may_start) const;

 private:
  // The hooks of one virtual router, or of all ("").
  struct Prepared {
    std::string router;
    events::Hooks config;
    std::map<std::string, health::LocalExecutor::Program> on_state;
    std::optional<health::LocalExecutor::Program> on_event;
  };
  // A pipe that others read.
  struct Fifo {
    io::Fd fd;
    std::string trouble;  // why nothing is written, as it was told; empty: it works
  };
  struct Step {
    std::string name;  // "on_active of edge"
    health::LocalExecutor::Program program;
    std::vector<std::string> environment;
    Duration timeout{};
  };
  struct Running {
    std::vector<Step> steps;  // those to come, the next one last
    std::unique_ptr<health::ScriptRun> run;
    bool ended = false;
  };

  static Prepared prepare(const std::string& router, const events::Hooks& config);
  std::vector<const Prepared*> of(const std::string& router) const;
  void push(const events::Event& event, bool state);
  std::vector<Step> steps(const events::HookJob& job) const;
  void add_units(std::vector<Step>& steps, const Prepared& hooks, const events::HookJob& job) const;
  void start_next(const events::HookQueue::Lane& lane);
  void ended(const events::HookQueue::Lane& lane, const std::string& name,
             const health::ScriptOutcome& outcome);
  void write_fifos(const events::Event& event, bool state);
  static Result<> open_fifo(Fifo& fifo, const std::string& path);
  static Result<> write_fifo(Fifo& fifo, const std::string& path, const std::string& line);
  void note_dropped();

  Log& log_;
  health::LocalExecutor& programs_;
  Tell tell_;
  std::vector<Prepared> hooks_;
  events::EntryStates states_;
  events::HookQueue queue_;
  std::map<events::HookQueue::Lane, Running> running_;
  std::map<std::string, Fifo> fifos_;  // by path
  std::uint64_t dropped_told_ = 0;
};

// What the monitor is to send, with the secrets that only the guardian may read. One that cannot be read is
// told.
DeliverySettings delivery_settings(const conf::Config& config, Log& log);

}  // namespace vipd::daemon
