#include "programs/guardian/guardian.h"

#include <fmt/format.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "conf/build.h"
#include "conf/print.h"
#include "events/names.h"
#include "programs/common/clock.h"
#include "programs/guardian/control_socket.h"
#include "programs/guardian/leftovers.h"
#include "programs/guardian/run_directory.h"
#include "vrrp/event_names.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

// A child that ends within this time after its start counts as failing.
constexpr Duration soon = 10s;
// An orderly stop waits for the successor of each virtual router, at most one interval (40.95 s).
constexpr Duration longest_stop = 60s;
// A router that has handed over everything still has to close its sockets.
constexpr Duration longest_end = 10s;
// A router that gives no sign of life for this long hangs. It wakes up at least four times a second.
constexpr Duration longest_silence = 1s;
constexpr Duration look_interval = 250ms;
constexpr Duration longest_router_start = 10s;
// The monitor sends a sign of life every second. Its work can be slow; the protocol cannot.
constexpr Duration longest_monitor_silence = 10s;
// A guardian that was late itself cannot tell whether the others hang.
constexpr Duration late = 100ms;
// The monitor has nothing to hand over.
constexpr Duration longest_monitor_stop = 3s;

// The first replacement starts at once, the next ones after growing delays.
Duration restart_delay(int failures_in_a_row) {
  constexpr std::array<Duration, 6> delays{0ms, 0ms, 50ms, 200ms, 1s, 2s};
  return delays[static_cast<std::size_t>(std::min<int>(failures_in_a_row, delays.size() - 1))];
}

}  // namespace

Result<std::unique_ptr<Guardian>> Guardian::create(Log& log, Setting setting, conf::Config config,
                                                   io::Fd lock, io::Fd control, io::Fd stored) {
  std::optional<Hold> hold;
  if (stored)
    if (auto adopted = Hold::adopt(std::move(stored))) hold = std::move(*adopted);
  if (!hold) hold = TRY(Hold::create());
  std::unique_ptr<Guardian> guardian(new Guardian(log, std::move(setting), std::move(config), std::move(lock),
                                                  std::move(control), std::move(*hold)));
  TRY_VOID(guardian->claim(guardian->configuration_.current()));
  return guardian;
}

Guardian::Guardian(Log& log, Setting setting, conf::Config config, io::Fd lock, io::Fd control, Hold hold)
    : log_(log),
      setting_(std::move(setting)),
      configuration_(setting_.paths.config_file, setting_.node, std::move(config)),
      lock_(std::move(lock)),
      control_(std::move(control)),
      hold_(std::move(hold)),
      leases_(loop_, log, reservations_,
              [this](const Leases& leases, int slots) {
                router_link_.send(leases, slots);
                // The lease keeper has logged them.
                events_.pass_on(
                    lease_news_.since_last(conf::virtual_routers(configuration_.current()), leases, now()));
              }),
      scripts_(loop_, [] { return now(); }),
      router_("vipd-router"),
      monitor_("vipd-monitor"),
      router_link_(
          loop_, log, router_.name,
          [this](RouterToGuardian message) {
            std::visit([this](auto&& each) { hear(std::forward<decltype(each)>(each)); }, std::move(message));
          },
          [](const std::string&) {}),
      monitor_link_(
          loop_, log, monitor_.name,
          [this](MonitorToGuardian message) {
            monitor_heard_ = now();
            std::visit([this](auto&& each) { hear(std::forward<decltype(each)>(each)); }, std::move(message));
          },
          [](const std::string&) {}),
      events_(log, monitor_link_,
              std::chrono::time_point_cast<std::chrono::milliseconds>(std::chrono::system_clock::now()),
              [this](const auto& events, bool trusted) { hooks_.happened(events, trusted); }),
      metrics_(log, monitor_link_),
      hooks_(log, scripts_,
             [this](std::string_view name, const std::string& text, const events::Fields& fields) {
               events_.tell_if_due("hook " + text, name, text, fields);
             }),
      holder_(log, leases_),
      stand_in_(log, events_, hold_, holder_),
      started_(now()),
      watchdog_(started_) {}

int Guardian::run() {
  const auto terminate = loop_.on_signal(SIGTERM, [this](const signalfd_siginfo&) { stop("SIGTERM"); });
  const auto interrupt = loop_.on_signal(SIGINT, [this](const signalfd_siginfo&) { stop("SIGINT"); });
  const auto hang_up = loop_.on_signal(SIGHUP, [this](const signalfd_siginfo&) { reload({}); });
  // Other programs of this kind write files on these signals; without a handler they would end this one.
  const auto ask = [this](const signalfd_siginfo&) {
    log_.write_limited(Level::notice, "signal",
                       "SIGUSR1 and SIGUSR2 have no effect: run \"vipctl status\" instead");
  };
  const auto user1 = loop_.on_signal(SIGUSR1, ask);
  const auto user2 = loop_.on_signal(SIGUSR2, ask);
  if (router_.outdated)
    log_.info(fmt::format("{}: {}", configuration_.file(), conf::summary(configuration_.current())));
  else
    events_.tell(events::started,
                 fmt::format("vipd {} started with {}: {}", VIPD_VERSION, configuration_.file(),
                             conf::summary(configuration_.current())));
  if (setting_.killed != 0)
    events_.tell(
        events::killed,
        fmt::format("the previous vipd (process {}) was killed, not stopped: there are no events of the time "
                    "between",
                    setting_.killed));
  make_place_for_events();
  if (const auto& why = setting_.privileges.shared_because(); !why.empty())
    log_.warning(fmt::format("vipd-router and vipd-monitor run as the same user as vipd: {} (--user)", why));
  scripts_.replace(conf::checks(configuration_.current()));
  hooks_.replace(configuration_.current());
  const bool holding = !router_.outdated && stand_in_.begin_for_the_dead(now());
  leases_.start(conf::virtual_routers(configuration_.current()), !router_.outdated && !holding);
  store_descriptor(hold_name, hold_.fd());
  metrics_.configure(configuration_.current().metrics.listen, now());
  if (router_.outdated)
    replace_outdated(router_);
  else
    start_router();
  if (!monitor_.outdated) start_monitor();
  if (const auto limited = Privileges::limit_own(); !limited) log_.warning(limited.error().message);
  while (!stopping_ || router_.process || monitor_.process || waits_for_hooks()) turn();
  leases_.close();
  return 0;
}

void Guardian::turn() {
  const auto planned = next_deadline();
  if (const auto waited = wait_until(loop_, planned); !waited)
    log_.write_limited(Level::error, "wait", waited.error().message);
  const auto time = now();
  if (time - planned > late) {
    look_at_router_ = std::max(look_at_router_, time + look_interval);
    if (monitor_heard_ != never) monitor_heard_ = time;
  }
  replace_hanging_router();
  replace_hanging_monitor(time);
  stand_in_.tick(time, router_is_there());
  // This may wait for long, so not while the guardian advertises.
  if (!stand_in_.holding()) leases_.tick(time);
  metrics_.tick(time);
  scripts_.step(time);
  hooks_.step(time, may_run_hooks());
  for (const auto run : std::exchange(ended_runs_, {})) script_runs_.erase(run);
  if (router_.restart <= time) start_router();
  if (monitor_.restart <= time) start_monitor();
  go_back(time);
  watchdog_.tick(time);
  if (stop_bound_ <= time) end_by_force();
  if (upgrade_) upgrade_->tick(time);
}

void Guardian::end_by_force() {
  stop_bound_ = never;
  auto& child = router_.process ? router_ : monitor_;
  if (!child.process && hooks_.busy()) log_.error("hooks do not end: killing them");
  if (!child.process) return;
  log_.error(fmt::format("{} does not stop: killing it", child.name));
  (void)io::kill(*child.process, SIGKILL);
}

TimePoint Guardian::next_deadline() const {
  return std::min({stand_in_.deadline(router_is_there()), stand_in_.holding() ? never : leases_.deadline(),
                   scripts_.next_deadline(), hooks_.deadline(now(), may_run_hooks()), metrics_.deadline(),
                   configuration_.deadline(), watchdog_.deadline(), router_.restart, monitor_.restart,
                   upgrade_ ? upgrade_->deadline() : never, look_at_router_, stop_bound_,
                   monitor_heard_ == never ? never : monitor_heard_ + longest_monitor_silence});
}

bool Guardian::router_is_there() const {
  return router_.process && router_ready_;
}

// --- children -----------------------------------------------------------------------------------------

Result<io::Process> Guardian::spawn(Child& child, int second_fd, std::optional<io::Channel>& ours) {
  auto [mine, theirs] = TRY(io::Channel::pair());
  ours = std::move(mine);
  io::SpawnOptions options;
  options.fds = {{theirs.fd(), guardian_fd}, {second_fd, hold_fd}};
  if (&child == &router_) {
    options.fds.push_back({lock_.get(), lock_fd});
    setting_.privileges.limit_router(options);
  } else {
    setting_.privileges.limit_monitor(options);
  }
  std::vector<std::string> argv{program_path(child.name), "--log-level",
                                std::string(name_of(setting_.level))};
  if (!setting_.sandbox) argv.emplace_back("--no-sandbox");
  if (&child == &monitor_) {
    sandboxed_directory_ = events_directory();
    argv.insert(argv.end(), {"--events-dir", sandboxed_directory_});
  }
  return io::spawn(argv, options);
}

void Guardian::started(Child& child, Result<io::Process> process) {
  child.restart = never;
  child.started = now();
  if (!process) {
    log_.error(fmt::format("cannot start {}: {}", child.name, process.error().message));
    child.restart = now() + restart_delay(++child.failures_in_a_row);
    return;
  }
  child.process = std::move(*process);
  child.ended = loop_.watch(child.process->pidfd.get(), [this, &child] { child_ended(child); });
}

void Guardian::start_router() {
  std::optional<io::Channel> ours;
  started(router_, spawn(router_, hold_.fd(), ours));
  if (!router_.process) return;
  router_ready_ = false;
  look_at_router_ = now() + look_interval;
  router_link_.attach(std::move(*ours));
  leases_.tell_new_router();
  send_configuration(stand_in_.snapshot());
  connect_router_and_monitor();
}

void Guardian::start_monitor() {
  std::optional<io::Channel> ours;
  started(monitor_, spawn(monitor_, control_.get(), ours));
  if (!monitor_.process) return;
  monitor_link_.attach(std::move(*ours));
  monitor_heard_ = now();
  script_runs_.clear();
  monitor_link_.send(ControlAccess{geteuid(), group_number(commanding_group)});
  monitor_link_.send(event_settings());
  monitor_link_.send(delivery_settings(configuration_.current(), log_));
  monitor_link_.send(Checks{conf::checks(configuration_.current())});
  connect_router_and_monitor();
  events_.monitor_attached();
  metrics_.monitor_attached();
}

// Not with one that an upgrade is about to replace: it may be of a release that uses another format.
void Guardian::connect_router_and_monitor() {
  if (!router_.process || !monitor_.process || router_.outdated || monitor_.outdated) return;
  auto pair = io::Channel::pair();
  if (!pair) return log_.error(pair.error().message);
  router_link_.send(MonitorLink{}, pair->first.fd());
  monitor_link_.send(RouterLink{}, pair->second.fd());
  tell_monitor();
}

void Guardian::child_ended(Child& child) {
  const auto exit = io::reap(*child.process);
  if (exit && !*exit) return;
  child.ended.reset();
  child.process.reset();
  if (&child == &monitor_) monitor_heard_ = never;
  const auto hung = std::exchange(child.hung, {});
  const auto how = !hung.empty() ? hung : exit ? to_string(**exit) : exit.error().message;
  if (&child == &router_) router_ended(how);
  if (stopping_) {
    if (&child == &router_) {
      stop_bound_ = now() + (hooks_.busy() ? longest_stop : longest_monitor_stop);
      if (hooks_.busy()) log_.notice("waiting for hooks to end, at most " + in_words(longest_stop));
      monitor_link_.detach();  // the monitor ends when its guardian goes
    }
    return;
  }
  // If another program ended the router: its bound does not apply to its successor.
  if (&child == &router_) stop_bound_ = never;
  // The directory that the monitor may write to is fixed at its start: with another one it ends.
  const bool moves = &child == &monitor_ && events_directory() != sandboxed_directory_;
  if (std::exchange(child.outdated, false) || moves) {
    child.restart = now();
    return;
  }
  ++child.restarts;
  child.failures_in_a_row = now() - child.started < soon ? child.failures_in_a_row + 1 : 0;
  const auto delay = restart_delay(child.failures_in_a_row);
  events_.tell(events::program_restarted,
               fmt::format("{} ended ({}); vipd restarts it{}", child.name, how,
                           delay == Duration::zero() ? "" : " in " + in_words(delay)),
               {{"program", child.name}});
  child.restart = now() + delay;
}

// From here on the guardian advertises in its place.
void Guardian::router_ended(const std::string& how) {
  router_link_.read_rest();  // its last events
  router_link_.detach();
  look_at_router_ = never;
  if (stopping_ && how == "exit code 0") return;
  stand_in_.router_ended(now(), std::exchange(router_ready_, false), router_.outdated);
  if (stopping_) stand_in_.last_will();
}

void Guardian::replace_hanging_router() {
  const auto time = now();
  if (look_at_router_ > time) return;
  look_at_router_ = time + look_interval;
  if (!router_.process) return;
  const bool hangs = router_ready_ ? time - hold_.last_beat() >= longest_silence
                                   : time - router_.started >= longest_router_start;
  if (!hangs) return;
  router_.hung = "killed after giving no sign of life for " +
                 in_words(router_ready_ ? longest_silence : longest_router_start);
  log_.error(fmt::format("{} {}", router_.name, router_.hung));
  (void)io::kill(*router_.process, SIGKILL);
  look_at_router_ = never;  // until the next one is started
}

void Guardian::replace_hanging_monitor(TimePoint time) {
  if (!monitor_.process || monitor_heard_ == never || time - monitor_heard_ < longest_monitor_silence) return;
  monitor_.hung = "killed after giving no sign of life for " + in_words(longest_monitor_silence);
  log_.error(fmt::format("{} {}", monitor_.name, monitor_.hung));
  (void)io::kill(*monitor_.process, SIGKILL);
  monitor_heard_ = never;
}

// --- the router ---------------------------------------------------------------------------------------

void Guardian::send_configuration(std::optional<vrrp::Snapshot> adopted) {
  router_link_.send(Configure{conf::virtual_routers(configuration_.current()), std::move(adopted)});
}

void Guardian::hear(WantedLeases wanted) {
  leases_.replace(std::move(wanted));
}

void Guardian::hear(Happened happened) {
  events_.pass_on(std::move(happened.events));
}

// The router only has to end now, and silence does not mean that it hangs.
void Guardian::hear(const Stopped& /*stopped*/) {
  look_at_router_ = never;
  stop_bound_ = std::min(stop_bound_, now() + longest_end);
}

void Guardian::hear(const Ready& /*ready*/) {
  router_ready_ = true;
  look_at_router_ = now() + look_interval;
  stand_in_.router_ready();
  if (monitor_.outdated) replace_outdated(monitor_);
  if (std::exchange(told_ready_, true)) return;
  say_ready("serving " + conf::summary(configuration_.current()));
  look_for_leftovers();
}

// Once, and only after the router has its own addresses.
void Guardian::look_for_leftovers() {
  const auto found = remove_leftovers(conf::virtual_routers(configuration_.current()));
  if (!found) return log_.warning("cannot look for addresses of an earlier vipd: " + found.error().message);
  for (const auto& each : *found) {
    const auto address = to_string(each.prefix);
    if (!each.removed)
      log_.warning(fmt::format("cannot remove {} of an earlier vipd from {}: {}", address, each.interface,
                               each.removed.error().message));
    else
      events_.tell(
          vrrp::events::leftover_removed,
          fmt::format(
              "removed {} from {}: an earlier vipd left it there, and it is not a virtual address now",
              address, each.interface),
          {{"address", address}, {"interface", each.interface}});
  }
}

// --- the monitor --------------------------------------------------------------------------------------

void Guardian::tell_monitor() {
  const auto describe = [](const Child& child) {
    return Program{child.process ? child.process->pid : 0, child.started, child.restarts};
  };
  const auto deadline = configuration_.deadline();
  monitor_link_.send(Programs{setting_.paths.config_file,
                              {{"guardian", Program{getpid(), started_, 0}},
                               {"router", describe(router_)},
                               {"monitor", describe(monitor_)}},
                              deadline == never ? std::nullopt : std::optional(deadline)});
}

// The guardian may have stalled since the request; the client has then been told that it was dropped.
bool Guardian::in_time(TimePoint until) {
  if (now() < until) return true;
  log_.warning("dropped a command that had waited for too long");
  return false;
}

void Guardian::hear(const CancelScript& request) {
  script_runs_.erase(request.run);
}

void Guardian::hear(const EventsTaken& taken) {
  events_.taken(taken.last);
}

void Guardian::hear(const UpgradeRequest& request) {
  if (in_time(request.until)) begin_upgrade(request.id);
}

void Guardian::hear(const ConfirmRequest& request) {
  if (in_time(request.until)) confirm(request.id);
}

void Guardian::hear(const ConfigurationRequest& request) {
  monitor_link_.send(ConfigurationReply{request.id, configuration_.node(),
                                        conf::print(configuration_.current()),
                                        configuration_.environment(request.variables), interfaces_here()});
}

void Guardian::hear(const ReloadRequest& request) {
  if (in_time(request.until)) monitor_link_.send(reload(request));
}

// --- hooks --------------------------------------------------------------------------------------------

// Starting a program takes a moment, which would delay advertisements.
bool Guardian::may_run_hooks() const {
  return !stand_in_.holding();
}

// The hooks that run once this node is no longer Active.
bool Guardian::waits_for_hooks() const {
  return hooks_.busy() && stop_bound_ != never;
}

// --- events -------------------------------------------------------------------------------------------

std::string Guardian::events_directory() const {
  const auto& directory = configuration_.current().events.directory;
  return directory.empty() ? setting_.paths.events_directory() : directory;
}

void Guardian::make_place_for_events() {
  if (const auto made = make_events_directory(events_directory(), setting_.privileges); !made)
    log_.error(made.error().message);
}

EventSettings Guardian::event_settings() const {
  const auto& limits = configuration_.current().events.limits;
  return {events_directory(), limits.size, limits.age};
}

void Guardian::hear(const RunScript& request) {
  auto run = scripts_.run_script(request.check, request.timeout,
                                 [this, number = request.run](const checks::ScriptOutcome& outcome) {
                                   monitor_link_.send(ScriptEnded{number, outcome});
                                   ended_runs_.push_back(number);
                                 });
  script_runs_[request.run] = std::move(run);
}

// --- commands -----------------------------------------------------------------------------------------

// Shown by `systemctl status`.
void Guardian::say_ready(const std::string& status) const {
  if (!told_ready_) return;
  notify_service_manager(fmt::format("READY=1\nSTATUS={}", status));
}

void Guardian::stop(const std::string& why) {
  if (stopping_) return;
  stopping_ = true;
  events_.tell(events::stopping, fmt::format("{}: stopping", why));
  notify_service_manager("STOPPING=1");
  router_.restart = monitor_.restart = never;
  stop_bound_ = now() + longest_stop;
  if (router_.process) return router_link_.send(Stop{});
  stand_in_.last_will();
  stop_bound_ = now() + longest_monitor_stop;
  monitor_link_.detach();
}

}  // namespace vipd::programs
