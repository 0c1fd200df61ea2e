// Monitor: the program that parses input of services and users: it runs the health checks and serves the
// control socket. It does not take part in the protocol: the router gets facts from it, and works without it.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "checks/runners/runners.h"
#include "checks/schedule.h"
#include "io/loop.h"
#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/link.h"
#include "programs/common/log.h"
#include "programs/common/monitor_router_messages.h"
#include "programs/monitor/control.h"
#include "programs/monitor/delivery.h"
#include "programs/monitor/journal.h"
#include "programs/monitor/metrics_server.h"
#include "programs/monitor/request.h"
#include "programs/monitor/status_queue.h"

namespace vipd::programs {

// Asks the guardian to run scripts: it has the rights, and finds the script by the name of the check.
class RemoteExecutor : public checks::ScriptExecutor {
 public:
  explicit RemoteExecutor(Link<MonitorToGuardian, GuardianToMonitor>& guardian) : guardian_(guardian) {}
  std::unique_ptr<checks::ScriptRun> run_script(const std::string& check, Duration timeout,
                                                Done done) override;
  void ended(const ScriptEnded& ended);

 private:
  class Run;
  Link<MonitorToGuardian, GuardianToMonitor>& guardian_;
  std::map<std::uint64_t, Done> waiting_;
  std::uint64_t runs_ = 0;
};

class Monitor {
 public:
  Monitor(Log& log, io::Channel guardian, io::Fd control);

  // Runs until the guardian ends. Returns the exit code.
  int run();

 private:
  // A request that waits for an answer of the router or the guardian.
  struct Waiting {
    std::uint64_t client = 0;
    TimePoint deadline{};
    std::string audit{};  // of a command: the command and its user
  };

  void turn();
  void guardian_lost(const std::string& why);
  void hear(const ControlAccess& access);
  void hear(const Checks& checks);
  void hear(RouterLink link);
  void hear(const ScriptEnded& ended);
  void hear(const Reloaded& reloaded);
  void hear(const Upgraded& upgraded);
  void hear(Programs programs);
  void hear(const ConfigurationReply& reply);
  void hear(const EventSettings& settings);
  void hear(const DeliverySettings& settings);
  void hear(MetricsSocket metrics);
  void hear(const Happened& happened);
  void hear(KnownFacts facts);
  void hear(const StatusReply& reply);
  void hear(const RecordReply& reply);
  void hear(const CommandDone& done);
  void hear(const Discard& /*discard*/) const {}  // closed with the message
  void fact_changed(const checks::Fact& fact);
  void seed();
  void requested(const Client& client, const std::string& line);
  void misunderstood(const Client& client, const BadRequest& bad_request);
  void refuse(const Client& client, const std::string& what);
  void commanded(const Client& client, const Request& request);
  void ask_router(std::uint64_t client, std::function<void(const StatusReply&)> on_status);
  std::uint64_t wait(std::uint64_t client, Duration bound);
  std::uint64_t wait_for_command(const Client& client, const std::string& what, Duration bound);
  void audit(const std::string& command, const std::string& result, bool done);
  void answered(std::uint64_t id, bool good, const std::string& text);
  void give_up_waiting(TimePoint now);
  void beat(TimePoint now);
  void look_at_journal();
  void tell(events::Event event);
  nlohmann::json recent_events() const;
  TimePoint next_deadline() const;

  Log& log_;
  io::Loop loop_;
  Link<MonitorToGuardian, GuardianToMonitor> guardian_;
  Link<MonitorToRouter, RouterToMonitor> router_;
  RemoteExecutor scripts_;
  checks::Context context_;
  checks::Schedule checks_;
  Control control_;
  Programs programs_;
  vrrp::CheckFacts known_;   // from the router, until they are used
  bool configured_ = false;  // the guardian has sent the checks
  std::map<std::uint64_t, Waiting> waiting_;
  StatusQueue status_;
  std::unique_ptr<MetricsServer> metrics_;
  std::map<std::string, std::uint64_t> event_counts_;  // by name
  std::unique_ptr<Journal> journal_;
  io::Watch journal_watch_;
  Journal::State journal_state_;
  Deliveries deliveries_;
  std::deque<events::Event> recent_;  // events that the disk may not have yet
  std::uint64_t requests_ = 0;
  struct Refusal {
    TimePoint next{};  // refusal to be reported
    std::uint64_t untold = 0;
  };
  std::map<unsigned, Refusal> refusals_;  // by user
  std::uint64_t recording_ = 0;  // number of the pending request: the router makes one recording at a time
  TimePoint next_beat_{};
  TimePoint end_at_ = never;
  bool ended_ = false;
  int exit_code_ = 0;
};

}  // namespace vipd::programs
