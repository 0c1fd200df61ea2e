// Router: the program that holds the protocol engine, the advertisement sockets and the addresses. One
// thread; nothing in its loop may block: no disk, no name lookup, no fork.
//
// It turns messages of the kernel, the peers, the monitor and the guardian into vrrp::Input, passes them to
// the engine, and the actions to Effects and Reporter. It writes its state into the Hold, for the guardian
// and a successor.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "io/loop.h"
#include "netlink/link_watch.h"
#include "programs/common/guardian_router_messages.h"
#include "programs/common/hold.h"
#include "programs/common/link.h"
#include "programs/common/log.h"
#include "programs/common/monitor_router_messages.h"
#include "programs/router/effects.h"
#include "programs/router/lease_writer.h"
#include "programs/router/reporter.h"
#include "programs/router/stale_facts.h"
#include "record/recorder.h"
#include "vrrp/engine.h"

namespace vipd::programs {

class Router {
 public:
  // guardian: the channel to it; hold: the memory shared with it.
  static Result<std::unique_ptr<Router>> create(Log& log, io::Channel guardian, Hold hold);

  // Runs until it is stopped and has handed over everything. Returns the exit code.
  int run();

 private:
  Router(Log& log, Hold hold, netlink::LinkWatch kernel);

  void turn();
  void step(const vrrp::Input& event);
  void take(const vrrp::Input& event);
  void flush();
  void read_kernel();
  void update_ports();
  void discard(const io::Fd& socket);
  io::Shield what_matters(const std::string& interface, Family family) const;
  void hear(Configure message);
  void hear(const Stop& stop);
  void hear(MonitorLink link);
  void hear(Leases leases);
  void hear(Health health);
  void hear(const StatusRequest& request);
  void hear(const RecordRequest& request);
  void hear(const Command& command);
  void hear(const Alive& /*alive*/) const {}
  void guardian_lost(const std::string& why);
  std::vector<vrrp::Input> checkpoint() const;
  void stop(const std::string& why);
  void keep();
  void count(const vrrp::Actions& actions);
  void believe(std::vector<vrrp::CheckFact> facts);
  void grant_leases(const vrrp::Actions& actions);
  void renew_leases();
  void want_leases();
  std::map<vrrp::RouterKey, LeaseStatus> lease_status() const;
  TimePoint next_deadline() const;

  Log& log_;
  io::Loop loop_;
  Hold hold_;
  netlink::LinkWatch kernel_;
  io::Watch kernel_watch_;
  TimePoint refresh_kernel_ =
      never;  // when to read everything again, because the kernel has dropped notifications
  std::unique_ptr<Effects> effects_;
  Link<RouterToGuardian, GuardianToRouter> guardian_;
  Link<RouterToMonitor, MonitorToRouter> monitor_;
  Reporter reporter_;
  vrrp::Engine engine_;
  record::Recorder recorder_;
  std::vector<vrrp::VirtualRouterConfig> routers_;
  StaleFacts stale_facts_;
  LeaseWriter leases_;
  std::map<vrrp::RouterKey, Activity> activity_;
  std::size_t leases_wanted_ = 0;  // how many virtual routers, in the last message to the guardian
  std::map<std::string, std::uint32_t> leased_on_;  // ... and their interfaces, by name
  std::set<std::string> interfaces_;                // in the configuration
  vrrp::Actions actions_;                           // of the steps since the last flush
  TimePoint keep_again_ = never;
  std::vector<std::optional<Duration>> tolerances_;  // as in the Hold: how late an Active may be
  bool stopping_ = false;
  bool ended_ = false;
  int exit_code_ = 0;
};

}  // namespace vipd::programs
