#include "tests/sim/host.h"

#include <algorithm>

#include "tests/sim/lan.h"

namespace vipd::sim {

namespace {
using namespace std::chrono_literals;

constexpr std::size_t socket_buffer = 400;  // messages that wait for a frozen program
}  // namespace

Host::Host(Lan& lan, const HostSetup& setup)
    : settings(setup.entries),
      lan_(lan),
      setup_(setup),
      index_(static_cast<std::size_t>(setup.name[0] - 'a')),
      clock_(TimePoint{1000s + index_ * 77s}, setup.ppm),
      routers_(lan.setup().groups.size()),
      running_(setup.entries),
      fit_since_(lan.setup().groups.size(), not_ever),
      kernel_(static_cast<std::uint8_t>(setup.number)) {
  for (const auto& entry : setup.entries)
    for (const auto& check : entry.checks) healthy[check.check] = true;
}

// --- what it is ---

TimePoint Host::local() const {
  return clock_.read(lan_.now());
}

bool Host::answers(std::size_t group) const {
  if (!kernel_.has_link() || !kernel_.has(lan_.setup().groups[group].pool.front())) return false;
  if (!awake() && sleep_kind_ != Sleep::frozen) return false;
  return !lan_.setup().lease || setup_.plain || lan_.now() < routers_[group].lease_until;
}

vrrp::VirtualRouterConfig Host::config(std::size_t group) const {
  const auto& described = lan_.setup().groups[group];
  const auto& entry = running_[described.entry];
  vrrp::VirtualRouterConfig config;
  config.name = lan_.setup().entries[described.entry];
  config.key = described.key;
  config.priority = entry.priority;
  config.advertisement_interval = entry.interval;
  config.preempt_mode = entry.preempt_mode;
  config.checksum = entry.checksum;
  config.addresses.assign(described.pool.begin(),
                          described.pool.begin() + static_cast<std::ptrdiff_t>(entry.addresses));
  config.checks = entry.checks;
  config.dead_man = entry.dead_man;
  config.announce = entry.announce;
  return config;
}

std::vector<vrrp::VirtualRouterConfig> Host::configs() const {
  std::vector<vrrp::VirtualRouterConfig> result;
  for (std::size_t group = 0; group < routers_.size(); ++group) result.push_back(config(group));
  return result;
}

vrrp::Priority Host::due_priority(std::size_t entry) const {
  const auto& settings_now = running_[entry];
  if (settings_now.priority == vrrp::owner_priority) return vrrp::owner_priority;
  int sum = settings_now.priority;
  for (const auto& check : settings_now.checks) {
    const auto fact = told_.find(check.check);
    if (!check.initialize && (fact == told_.end() || !fact->second)) sum += check.priority;
  }
  return static_cast<vrrp::Priority>(std::clamp(sum, 1, 254));
}

bool Host::eligible(std::size_t group) const {
  if (!alive() || !awake() || stopping_ || !kernel_.usable()) return false;
  // A guardian holds for the virtual routers for which its router was Active, and for no others.
  bool held = false;
  held_.for_each([&](const programs::HeldRouter& each, TimePoint) { held |= group_of(each.key) == group; });
  if (program_ == Program::held && !held) return false;
  const auto& checks = running_[lan_.setup().groups[group].entry].checks;
  return std::all_of(checks.begin(), checks.end(), [&](const auto& check) {
    const auto fact = told_.find(check.check);
    return !check.initialize || (fact != told_.end() && fact->second);
  });
}

std::size_t Host::group_of(const vrrp::RouterKey& key) const {
  const auto& groups = lan_.setup().groups;
  std::size_t group = 0;
  while (groups[group].key != key) ++group;
  return group;
}

void Host::update_fitness() {
  for (std::size_t group = 0; group < fit_since_.size(); ++group) {
    if (!eligible(group))
      fit_since_[group] = not_ever;
    else if (fit_since_[group] == not_ever)
      fit_since_[group] = lan_.now();
  }
}

// --- the router program ---

void Host::start(bool adopt) {
  if (program_ == Program::held) held_.end(), hold_ends_ = not_ever;
  if (alive() && program_ != Program::held) return;
  wake_now();
  say(adopt ? "> start, adopting" : "> start");
  lan_.judge().planned();
  stopping_ = false;
  dies_in_turn_ = false;
  running_ = settings;
  changed_ = lan_.now();
  if (setup_.plain) return start_plain();
  program_ = Program::vipd;
  fit_since_.assign(fit_since_.size(), not_ever);
  engine_ = std::make_unique<vrrp::Engine>();
  auto adopted = adopt ? std::exchange(kept_, std::nullopt) : std::nullopt;
  const auto before = routers_;
  bool stale = false;
  if (adopted) {
    for (const auto& router : adopted->routers) {
      lan_.judge().remembers(group_of(router.key), router.active_adver_interval);
      auto& ours = routers_[group_of(router.key)];
      if (router.state != vrrp::StateName::active) continue;
      const auto group = group_of(router.key);
      const bool too_late = stood_still(group, router.active_adver_interval);
      stale |= too_late;
      set_state(group, vrrp::StateName::active);
      ours.must_listen = too_late;
    }
    // Earlier facts are adopted; those that have changed meanwhile are sent again.
    told_.clear();
    for (const auto& [name, fact] : adopted->checks) told_[name] = fact.healthy;
  } else {
    told_.clear();
    for (std::size_t group = 0; group < routers_.size(); ++group) {
      routers_[group].must_listen = false;
      set_state(group, vrrp::StateName::initialize);
    }
  }
  if (stale) woken_ = lan_.now();
  if (adopted) adopted_ = lan_.now(), adopted_locally_ = local();
  // What a predecessor with another configuration has left goes with its lifetime.
  for (const auto& entry : running_)
    meddled_until_ = std::max(meddled_until_, lan_.now() + std::max(repair_bound, entry.dead_man));
  lan_.tell_checks(*this, lan_.random().between(Duration(1), lan_.setup().monitor_delay));
  known_index_ = kernel_.link().index;
  step(vrrp::InterfaceChanged{kernel_.link()});
  step(vrrp::ConfigReplaced{configs(), std::move(adopted)});
  if (engine_) refresh();
  for (std::size_t group = 0; adopt && group < routers_.size(); ++group) {
    if (!active(group)) continue;  // one that continues has had that priority before
    routers_[group].best = std::max(routers_[group].best, before[group].best);
    routers_[group].must_announce = before[group].must_announce;
  }
}

void Host::stop() {
  if (!alive() || stopping_ || !awake()) return;
  say("> stop");
  stopping_ = true;
  changed_ = lan_.now();
  if (program_ == Program::vipd) return step(vrrp::Shutdown{});
  if (program_ == Program::held) return last_will();
  for (const auto& router : plain_) router->shutdown(local());
  plain_.clear();
  end_program();
}

// The program is gone, and nothing of it is left but what the kernel has.
void Host::end_program() {
  program_ = Program::none;
  engine_.reset();
  plain_.clear();
  held_.end();
  hold_ends_ = not_ever;
  waiting_.clear();
  kernel_waits_ = monitor_waits_ = false;
  asleep_until_ = asleep_since_ = long_ago;
  dies_in_turn_ = false;
  stopping_ = false;
  deadline_.reset();
  program_wake_ = not_ever;
  for (std::size_t group = 0; group < routers_.size(); ++group) {
    routers_[group].must_listen = false;
    set_state(group, vrrp::StateName::initialize);
  }
  update_fitness();
  reschedule();
  lan_.judge().host_changed(*this);
}

void Host::crash(bool guardian_too) {
  if (!alive() || setup_.plain) return;
  if (!awake() && sleep_kind_ != Sleep::frozen) return;
  say(guardian_too ? "> crash" : "> crash of the router");
  const bool was_held = program_ == Program::held;
  if (engine_) {
    if (!kept_) kept_ = engine_->snapshot();
    engine_->for_each_deadline([&](std::size_t i, TimePoint deadline) {
      if (i < kept_->routers.size()) kept_->routers[i].deadline = deadline;
    });
  }
  const bool goes_on = setup_.guarded && !guardian_too && !stopping_;
  if (was_held && goes_on) return;
  programs::HeldActives keep;
  if (goes_on) {
    hold();
    keep = held_;
  } else if (stopping_ && setup_.guarded && !guardian_too) {
    hold();
    return last_will();
  }
  std::vector<Router> as_they_were = routers_;
  end_program();
  if (guardian_too && lan_.random().chance(50)) kept_.reset();
  if (!goes_on) return;
  held_ = std::move(keep);
  if (held_.empty()) return;
  program_ = Program::held;
  hold_ends_ = lan_.now() + programs::longest_hold;
  held_.for_each([&](const programs::HeldRouter& held, TimePoint) {
    const auto group = group_of(held.key);
    set_state(group, vrrp::StateName::active);
    routers_[group] = as_they_were[group];
  });
  reschedule();
  lan_.judge().host_changed(*this);
}

void Host::power_off() {
  if (!alive()) return;
  say("> power off");
  end_program();
  kept_.reset();
  kernel_.forget_addresses();
  lan_.judge().host_changed(*this);
}

// --- time ---

void Host::reschedule() {
  wake_ = awake() ? program_wake_ : asleep_until_;
  // A lease ends unless it is renewed: an event like any other.
  if (lan_.setup().lease && (!awake() || program_ == Program::none))
    for (const auto& router : routers_)
      if (router.lease_until > lan_.now()) wake_ = std::min(wake_, router.lease_until);
  if (!awake()) {
    if (sleep_kind_ == Sleep::frozen) wake_ = std::min(wake_, kernel_.next_expiry());
    return;
  }
  for (const auto& router : plain_) wake_ = std::min(wake_, clock_.when(router->deadline()));
  wake_ = std::min(wake_, clock_.when(held_.deadline()));
  if (program_ == Program::held) wake_ = std::min(wake_, hold_ends_);
  wake_ = std::min(wake_, kernel_.next_expiry());
}

void Host::run() {
  expire();
  if (!awake() || program_ == Program::none) lan_.judge().host_changed(*this);
  if (!awake()) {
    if (asleep_until_ <= lan_.now()) return wake_up();
    return reschedule();
  }
  if (program_ == Program::vipd && program_wake_ <= lan_.now()) {
    lan_.judge().ticks(*this);
    step(vrrp::Tick{});
    if (engine_) lan_.judge().ticked(*this, engine_->next_deadline(), local());
  } else if (program_ == Program::held) {
    if (hold_ends_ <= lan_.now())
      last_will();
    else
      tick_hold();
  } else {
    for (const auto& router : plain_)
      if (router->deadline() <= local()) router->tick(local());
  }
  reschedule();
}

void Host::receive(const std::shared_ptr<const vrrp::Input>& message) {
  const auto* datagram = std::get_if<vrrp::DatagramReceived>(message.get());
  if (datagram && !kernel_.has_link()) return;
  if (!awake()) {
    if (sleep_kind_ == Sleep::frozen && waiting_.size() < socket_buffer) waiting_.push_back(message);
    return;
  }
  if (program_ == Program::vipd) {
    if (datagram) hear(*datagram);
    return step(*message);
  }
  if (program_ != Program::plain || !datagram) return;
  const auto advertisement =
      vrrp::decode({datagram->source, datagram->destination, datagram->hop_limit, datagram->payload});
  if (!advertisement || datagram->source == kernel_.own_address(datagram->source.family)) return;
  for (const auto& router : plain_)
    if (router->config().key.vrid == advertisement->vrid &&
        router->config().key.family == datagram->source.family)
      router->received(local(), datagram->source, *advertisement);
  reschedule();
}

// An Active that hears an inferior one: clients may have been told the other's name.
void Host::hear(const vrrp::DatagramReceived& datagram) {
  for (std::size_t group = 0; group < routers_.size(); ++group) {
    auto& router = routers_[group];
    const auto& key = lan_.setup().groups[group].key;
    if (router.state != vrrp::StateName::active || key.family != datagram.source.family ||
        key.vrid != datagram.payload[1] || datagram.source == kernel_.own_address(key.family))
      continue;
    const auto theirs = datagram.payload[2];
    const bool inferior = theirs < router.priority ||
                          (theirs == router.priority && datagram.source < kernel_.own_address(key.family));
    if (inferior && theirs != vrrp::release_priority) router.must_announce = lan_.now();
  }
}

void Host::kernel_speaks() {
  notification_pending_ = false;
  if (!awake()) {
    kernel_waits_ = true;
    return;
  }
  known_index_ = kernel_.link().index;
  if (program_ == Program::vipd) step(vrrp::InterfaceChanged{kernel_.link()});
}

void Host::monitor_speaks() {
  if (!awake()) {
    monitor_waits_ = true;
    return;
  }
  if (program_ != Program::vipd) return;
  std::vector<vrrp::CheckFact> news;
  for (const auto& [name, good] : healthy) {
    const auto known = told_.find(name);
    if (known != told_.end() && known->second == good) continue;
    news.push_back({name, good, {}, good ? "200 OK" : "timed out", local()});
  }
  if (news.empty()) return;
  changed_ = lan_.now();
  for (auto& fact : news) {
    told_[fact.check] = fact.healthy;
    if (engine_) step(vrrp::HealthChanged{std::move(fact)});
  }
  if (engine_) refresh();
  lan_.judge().host_changed(*this);
  lan_.at(lan_.now() + 2 * lan_.setup().moment(), [this] { lan_.judge().host_changed(*this); });
}

}  // namespace vipd::sim
