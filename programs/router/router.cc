#include "programs/router/router.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>

#include "programs/common/clock.h"
#include "programs/router/kept_state.h"
#include "programs/router/port.h"
#include "programs/router/switch_reply.h"
#include "vrrp/relevance.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

constexpr Duration kernel_retry = 200ms;  // after a failed read of all links and addresses
constexpr Duration keep_interval = 1s;    // maximum age of peers and counters in the Hold
constexpr std::size_t recorder_size =
    2 << 20;                              // bytes: hours at 1 s, half a minute of 50 virtual routers at 10 ms
constexpr Duration longest_wait = 250ms;  // the guardian watches for signs of life

// Does the Hold need the whole state again after this action, rather than just new deadlines?
bool changes_state(const vrrp::Action& action) {
  return !std::holds_alternative<vrrp::SendAdvertisement>(action) &&
         !std::holds_alternative<vrrp::AdvertisementDiscarded>(action) &&
         !std::holds_alternative<vrrp::Renew>(action) && !std::holds_alternative<vrrp::Announce>(action) &&
         !std::holds_alternative<vrrp::Probe>(action);
}
}  // namespace

Result<std::unique_ptr<Router>> Router::create(Log& log, io::Channel guardian, Hold hold) {
  auto kernel = TRY(netlink::LinkWatch::open());
  std::unique_ptr<Router> router(new Router(log, std::move(hold), std::move(kernel)));
  auto* self = router.get();
  AdvertPorts::Callbacks callbacks{
      .received =
          [self](const std::string& interface, const io::Datagram& datagram) {
            self->step(vrrp::DatagramReceived{interface,
                                              datagram.source,
                                              datagram.destination,
                                              datagram.hop_limit,
                                              {datagram.payload.begin(), datagram.payload.end()},
                                              datagram.truncated});
          },
      .what_matters = [self](const std::string& interface,
                             Family family) { return self->what_matters(interface, family); },
      .flooded = [self](const std::string& interface,
                        Family family) { self->reporter_.report_flood(interface, family, now()); }};
  router->effects_ = TRY(Effects::open(router->loop_, log, std::move(callbacks),
                                       [self](const io::Fd& socket) { self->discard(socket); }));
  TRY_VOID(router->kernel_.refresh([](const Interface&) {}));
  router->kernel_watch_ = router->loop_.watch(router->kernel_.fd(), [self] { self->read_kernel(); });
  router->guardian_.attach(std::move(guardian));
  return router;
}

Router::Router(Log& log, Hold hold, netlink::LinkWatch kernel)
    : log_(log),
      hold_(std::move(hold)),
      kernel_(std::move(kernel)),
      guardian_(
          loop_, log, "vipd",
          [this](GuardianToRouter message) {
            std::visit([this](auto&& each) { hear(std::forward<decltype(each)>(each)); }, std::move(message));
          },
          [this](const std::string& why) { guardian_lost(why); }),
      monitor_(
          loop_, log, "vipd-monitor",
          [this](MonitorToRouter message) {
            believe(stale_facts_.heard(now()));
            std::visit([this](auto&& each) { hear(std::forward<decltype(each)>(each)); }, std::move(message));
          },
          [](const std::string&) {}),
      reporter_(log, guardian_),
      recorder_(recorder_size, [this] { return checkpoint(); }),
      stale_facts_(now()) {}

int Router::run() {
  // The guardian handles signals and sends messages; Ctrl-C on a terminal reaches every program.
  const auto ignore = [](const signalfd_siginfo&) {};
  const auto interrupt = loop_.on_signal(SIGINT, ignore);
  const auto hang_up = loop_.on_signal(SIGHUP, ignore);
  const auto user1 = loop_.on_signal(SIGUSR1, ignore);
  const auto user2 = loop_.on_signal(SIGUSR2, ignore);
  const auto watchdog = loop_.on_signal(SIGABRT, ignore);  // sent by systemd if the guardian hangs
  const auto terminate = loop_.on_signal(SIGTERM, [this](const signalfd_siginfo&) { stop("SIGTERM"); });
  while (!ended_) turn();
  return exit_code_;
}

void Router::turn() {
  const auto wake = std::min(next_deadline(), now() + longest_wait);
  if (const auto waited = wait_until(loop_, effects_->has_work() ? now() : wake); !waited)
    log_.write_limited(Level::error, "wait", waited.error().message);
  // Whatever woke us, and however late: waiting packets come before deadlines.
  const auto deadline = engine_.next_deadline();
  if (deadline && *deadline <= now()) {
    effects_->adverts().receive_all();
    step(vrrp::Tick{});
  }
  if (refresh_kernel_ <= now()) read_kernel();
  if (stale_facts_.next_deadline() <= now())
    believe(stale_facts_.expire(now(), engine_.status(now()).checks));
  flush();
  effects_->expire();
  if (effects_->has_work()) effects_->run_slice();
  for (const auto& fact : effects_->take_facts()) step(fact);
  flush();
  if (keep_again_ <= now()) keep();
  engine_.for_each_deadline([this](std::size_t index, TimePoint each) {
    const auto tolerance = tolerances_[index];
    hold_.set_deadline(index, each, tolerance ? each + *tolerance : never);
  });
  renew_leases();
  hold_.beat(now());
  if (stopping_ && engine_.finished() && !effects_->has_work()) {
    // The kernel reports changes of addresses before it acknowledges their removal.
    read_kernel();
    renew_leases();
    guardian_.send(Stopped{});
    ended_ = true;
  }
}

TimePoint Router::next_deadline() const {
  return std::min({engine_.next_deadline().value_or(never), refresh_kernel_, stale_facts_.next_deadline()});
}

void Router::step(const vrrp::Input& event) {
  if (auto held = hold_.take_held(); !held.empty()) {
    log_.write_limited(Level::warning, "held",
                       "vipd-router stalled, and the guardian advertised in its place");
    take(vrrp::AdvertisementsHeld{std::move(held)});
  }
  take(event);
}

void Router::take(const vrrp::Input& event) {
  const auto time = now();
  recorder_.record(time, event);
  auto actions = engine_.step(time, event);
  std::move(actions.begin(), actions.end(), std::back_inserter(actions_));
}

// Performs the actions of all steps of this turn. Writes the state first: a successor repairs actions that
// were not done yet, but it cannot know of a change that is not in the state.
void Router::flush() {
  if (actions_.empty()) return;
  const auto actions = std::exchange(actions_, {});
  if (std::any_of(actions.begin(), actions.end(), changes_state)) {
    keep();
    effects_->adverts().renew_shields();
  }
  grant_leases(actions);
  count(actions);
  effects_->perform(actions);
  reporter_.report(actions, now());
}

void Router::count(const vrrp::Actions& actions) {
  for (const auto& action : actions) {
    if (const auto* put = std::get_if<vrrp::Put>(&action)) ++activity_[put->router].added;
    if (const auto* drop = std::get_if<vrrp::Drop>(&action)) ++activity_[drop->router].removed;
    if (const auto* renew = std::get_if<vrrp::Renew>(&action))
      activity_[renew->router].renewed += renew->resources.size();
    if (const auto* announce = std::get_if<vrrp::Announce>(&action)) ++activity_[announce->router].announced;
  }
}

// --- the kernel ---------------------------------------------------------------------------------------

void Router::read_kernel() {
  std::vector<Interface> changed;
  const auto collect = [&](const Interface& interface) { changed.push_back(interface); };
  const auto read = refresh_kernel_ == never ? kernel_.receive(collect) : kernel_.refresh(collect);
  refresh_kernel_ = read ? never : now() + kernel_retry;
  if (!read) log_.write_limited(Level::warning, "kernel", read.error().message);
  const bool concerned = std::any_of(changed.begin(), changed.end(),
                                     [&](const Interface& each) { return interfaces_.contains(each.name); });
  if (!concerned) return;
  update_ports();
  for (const auto& interface : changed)
    if (interfaces_.contains(interface.name)) step(vrrp::InterfaceChanged{interface});
  if (std::any_of(changed.begin(), changed.end(), [&](const Interface& each) {
        const auto known = leased_on_.find(each.name);
        return known != leased_on_.end() && known->second != each.index;
      }))
    want_leases();
}

// The monitor then has the last copy. Without a monitor it is closed here.
void Router::discard(const io::Fd& socket) {
  monitor_.send(Discard{}, socket.get());
}

io::Shield Router::what_matters(const std::string& interface, Family family) const {
  const auto relevant = vrrp::relevance(engine_.status(now()), interface, family);
  // Too many for the filter: then farewells of every host pass.
  if (relevant.followed.size() > io::most_known) return {vrrp::release_priority, {}};
  return {relevant.least_priority, {relevant.followed.begin(), relevant.followed.end()}};
}

// Opens and closes sockets according to the configuration and the existing interfaces.
void Router::update_ports() {
  effects_->set_ports(ports_of(routers_, engine_.status(now()).routers,
                               [this](const std::string& name) { return kernel_.snapshot(name); }));
}

// --- the guardian -------------------------------------------------------------------------------------

void Router::hear(const Stop& /*stop*/) {
  stop("stopping");
}

void Router::hear(Leases leases) {
  if (const auto replaced = leases_.replace(std::move(leases)); !replaced)
    log_.error(replaced.error().message);
}

void Router::hear(MonitorLink link) {
  if (!link.descriptor) return;
  auto channel = io::Channel::adopt(std::move(link.descriptor));
  if (!channel) return log_.error(channel.error().message);
  monitor_.attach(std::move(*channel));
  monitor_.send(KnownFacts{engine_.status(now()).checks});
}

void Router::hear(Configure message) {
  routers_ = std::move(message.routers);
  std::set<std::string> before = std::exchange(interfaces_, {});
  for (const auto& router : routers_) interfaces_.insert(router.path());
  update_ports();
  for (const auto& name : interfaces_) {
    if (before.contains(name)) continue;
    auto interface = kernel_.snapshot(name);
    interface.name = name;
    step(vrrp::InterfaceChanged{interface});
  }
  stale_facts_.configure(routers_);
  interfaces_.merge(before);  // inputs of an interface that is being left still matter
  step(vrrp::ConfigReplaced{routers_, std::move(message.adopted)});
  flush();
  keep();
  want_leases();
  hold_.beat(now());
  guardian_.send(Ready{});
}

// If the guardian has ended, no program can restart this router, so it hands over its addresses. If a message
// of the guardian could not be received, for lack of descriptors for instance, the router ends: the guardian
// holds for it, and the next router continues without an interruption.
void Router::guardian_lost(const std::string& why) {
  if (!guardian_.broken()) return stop("the guardian has ended");
  log_.error("lost a message of the guardian, ending: " + why);
  ended_ = true;
  exit_code_ = 1;
}

void Router::stop(const std::string& why) {
  if (stopping_) return;
  stopping_ = true;
  log_.info(fmt::format("{}: handing over the addresses", why));
  step(vrrp::Shutdown{});
}

// --- the monitor --------------------------------------------------------------------------------------

void Router::believe(std::vector<vrrp::CheckFact> facts) {
  for (auto& fact : facts) step(vrrp::HealthChanged{std::move(fact)});
}

void Router::hear(Health health) {
  believe(std::move(health.facts));
}

void Router::hear(const StatusRequest& request) {
  StatusReply reply{request.id, engine_.status(now()), lease_status(), {}, {}};
  if (request.measurements) {
    reply.activity = activity_;
    reply.measurements = engine_.measurements();
  }
  monitor_.send(reply);
}

void Router::hear(const RecordRequest& request) {
  monitor_.send(RecordReply{request.id, recorder_.contents()});
}

// The inputs that bring another engine into the state of this one, as closely as an adoption can.
std::vector<vrrp::Input> Router::checkpoint() const {
  std::vector<vrrp::Input> events;
  for (const auto& name : interfaces_) {
    auto interface = kernel_.snapshot(name);
    interface.name = name;
    events.emplace_back(vrrp::InterfaceChanged{std::move(interface)});
  }
  events.emplace_back(vrrp::ConfigReplaced{routers_, engine_.snapshot()});
  return events;
}

void Router::hear(const Command& command) {
  if (now() >= command.until) return;
  auto reply = reply_to(command, engine_.status(now()));
  const bool good = reply.input.has_value();
  if (good) step(*reply.input);
  monitor_.send(CommandDone{command.id, good, std::move(reply.text)});
}

// --- the lease in the kernel --------------------------------------------------------------------------

// For virtual routers that have become Active: before their addresses are added.
void Router::grant_leases(const vrrp::Actions& actions) {
  std::set<vrrp::RouterKey> risen;
  for (const auto& action : actions)
    if (const auto* change = std::get_if<vrrp::StateChanged>(&action);
        change && change->to == vrrp::StateName::active)
      risen.insert(change->router);
  if (risen.empty()) return;
  engine_.for_each_lease(now(), [&](const vrrp::RouterKey& router, std::optional<TimePoint> until) {
    if (until && risen.contains(router)) leases_.set(router, *until);
  });
}

// Once a turn, after sending: a router whose advertisements do not leave must not renew its lease.
void Router::renew_leases() {
  std::size_t count = 0;
  engine_.for_each_lease(now(), [&](const vrrp::RouterKey& router, std::optional<TimePoint> until) {
    ++count;
    if (until && (*until == TimePoint{} || effects_->adverts().advertises(router)))
      leases_.set(router, *until);
  });
  if (count != leases_wanted_) want_leases();
}

std::map<vrrp::RouterKey, LeaseStatus> Router::lease_status() const {
  auto leases = leases_.status();
  std::set<std::string> missing;
  for (const auto& name : interfaces_)
    if (!kernel_.snapshot(name).exists()) missing.insert(name);
  for (auto& [router, lease] : leases)
    if (lease.why_not.empty() && missing.contains(router.interface))
      lease.why_not = "interface " + router.interface + " does not exist";
  return leases;
}

// Reports to the guardian which addresses need a lease on which interface.
void Router::want_leases() {
  WantedLeases wanted;
  const auto routers = engine_.status(now()).routers;
  leases_wanted_ = routers.size();
  leased_on_.clear();
  for (const auto& router : routers) {
    const auto& config = router.config;
    if (!config.wants_lease()) continue;
    const auto [index, is_new] = leased_on_.try_emplace(config.place(config.addresses.front()));
    if (is_new) index->second = kernel_.snapshot(index->first).index;
    wanted.routers[config.key] = {index->second, config.addresses};
  }
  guardian_.send(wanted);
}

// --- what a successor needs ---------------------------------------------------------------------------

void Router::keep() {
  auto kept = kept_state(engine_.snapshot(), engine_.status(now()),
                         [this](const std::string& interface) { return kernel_.snapshot(interface).index; });
  tolerances_ = std::move(kept.tolerances);
  if (const auto written = hold_.write(kept.state, guardian_.format()); !written)
    log_.write_limited(Level::warning, "hold", written.error().message);
  keep_again_ = now() + keep_interval;
}

}  // namespace vipd::programs
