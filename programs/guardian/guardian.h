// Guardian: the program `vipd`. It starts and watches the router and the monitor, reads the configuration for
// them, runs their scripts, and holds for the router while that is being replaced. Deliberately small: it
// parses nothing from the network.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "conf/config.h"
#include "io/loop.h"
#include "io/process.h"
#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/guardian_router_messages.h"
#include "programs/common/hold.h"
#include "programs/common/link.h"
#include "programs/common/log.h"
#include "programs/common/paths.h"
#include "programs/guardian/configuration.h"
#include "programs/guardian/event_hub.h"
#include "programs/guardian/handover.h"
#include "programs/guardian/holder.h"
#include "programs/guardian/hook_runner.h"
#include "programs/guardian/lease_keeper.h"
#include "programs/guardian/lease_news.h"
#include "programs/guardian/local_executor.h"
#include "programs/guardian/metrics_door.h"
#include "programs/guardian/privileges.h"
#include "programs/guardian/reservations.h"
#include "programs/guardian/service_manager.h"
#include "programs/guardian/stand_in.h"
#include "programs/guardian/upgrade.h"

namespace vipd::programs {

// The name of the Hold in the descriptor store of the service manager.
constexpr std::string_view hold_name = "hold";

class Guardian {
 public:
  // The arguments and environment of this start.
  struct Setting {
    Paths paths;
    Level level = Level::info;
    Invocation invocation;
    Privileges privileges;
    std::string node;  // in the configuration; empty: the host's name
    bool sandbox = true;
    pid_t killed = 0;  // the previous vipd, if it was killed; else 0
  };

  // control: the listening control socket, which the monitor serves. lock: of the run directory, held as long
  // as the guardian lives. stored: the Hold of a vipd that was killed with all of its programs; empty: none.
  // EADDRINUSE: another vipd serves one of its virtual routers.
  static Result<std::unique_ptr<Guardian>> create(Log& log, Setting setting, conf::Config config, io::Fd lock,
                                                  io::Fd control, io::Fd stored);
  // Replaces the guardian in the same process after an upgrade: its programs continue, and are replaced one
  // by one.
  static Result<std::unique_ptr<Guardian>> take_over(Log& log, Setting setting, conf::Config config,
                                                     const Handover& handover);

  // Runs until it is stopped. Returns the exit code.
  int run();

 private:
  // One of the two programs: running, or to be restarted.
  struct Child {
    explicit Child(std::string program) : name(std::move(program)) {}
    std::string name;
    std::optional<io::Process> process;
    io::Watch ended;
    TimePoint started{};
    TimePoint restart = never;  // when to restart it
    std::uint32_t restarts = 0;
    int failures_in_a_row = 0;  // ends soon after a start
    std::string hung;           // why vipd killed it, or empty
    bool outdated = false;      // of the previous version: it has been or will be killed and replaced
  };

  Guardian(Log& log, Setting setting, conf::Config config, io::Fd lock, io::Fd control, Hold hold);
  void turn();
  Result<> claim(const conf::Config& config);
  void give_claims_back();

  void start_router();
  void start_monitor();
  Result<io::Process> spawn(Child& child, int second_fd, std::optional<io::Channel>& ours);
  void started(Child& child, Result<io::Process> process);
  void child_ended(Child& child);
  void router_ended(const std::string& how);
  void replace_hanging_router();
  void replace_hanging_monitor(TimePoint time);
  void connect_router_and_monitor();

  void hear(const Ready& ready);
  void hear(const Stopped& stopped);
  void hear(WantedLeases wanted);
  void hear(Happened happened);
  void hear(const RunScript& request);
  void hear(const CancelScript& request);
  void hear(const ReloadRequest& request);
  void hear(const ConfirmRequest& request);
  void hear(const UpgradeRequest& request);
  void hear(const ConfigurationRequest& request);
  void hear(const EventsTaken& taken);
  void hear(const Alive& /*alive*/) const {}
  bool in_time(TimePoint until);
  void look_for_leftovers();
  void tell_monitor();
  void say_ready(const std::string& status) const;
  Reloaded reload(const ReloadRequest& request);
  static std::set<std::string> interfaces_here();
  std::string without_interface() const;
  void put_in_force(std::string_view event, const std::string& done);
  std::string events_directory() const;
  void make_place_for_events();
  EventSettings event_settings() const;
  bool may_run_hooks() const;
  bool waits_for_hooks() const;
  void confirm(std::uint64_t id);
  void go_back(TimePoint time);
  void send_configuration(std::optional<vrrp::Snapshot> adopted);
  Result<> adopt(Child& child, RawLink& link, const HandedProgram& handed, ArchiveFormat format);
  void reap_later(std::int32_t pid);
  void replace_outdated(Child& child);
  void begin_upgrade(std::uint64_t id);
  void checked(std::uint64_t id, const Result<std::string>& version);
  Result<> become_new_program();
  Handover handover() const;
  void stop(const std::string& why);
  void end_by_force();
  TimePoint next_deadline() const;
  bool router_is_there() const;  // and ready
  bool replacing_programs() const;

  Log& log_;
  Setting setting_;
  Configuration configuration_;
  io::Fd lock_;
  io::Fd control_;
  io::Loop loop_;
  Hold hold_;
  Reservations reservations_;
  LeaseKeeper leases_;
  LocalExecutor scripts_;
  std::map<std::uint64_t, std::unique_ptr<checks::ScriptRun>> script_runs_;
  std::vector<std::uint64_t> ended_runs_;
  Child router_;
  Child monitor_;
  Link<GuardianToRouter, RouterToGuardian> router_link_;
  Link<GuardianToMonitor, MonitorToGuardian> monitor_link_;
  EventHub events_;
  MetricsDoor metrics_;
  HookRunner hooks_;
  Holder holder_;
  StandIn stand_in_;
  LeaseNews lease_news_;
  std::string sandboxed_directory_;  // where the monitor may write events
  TimePoint monitor_heard_ = never;
  bool router_ready_ = false;
  TimePoint look_at_router_ = never;
  TimePoint started_{};
  bool told_ready_ = false;
  Watchdog watchdog_;
  std::unique_ptr<Upgrade> upgrade_;
  std::vector<std::pair<io::Process, io::Watch>> ending_;  // children that the previous program killed
  bool stopping_ = false;
  TimePoint stop_bound_ = never;
};

}  // namespace vipd::programs
