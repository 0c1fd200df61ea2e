// What happens to a Host: it sleeps, it gets commands, its link and its addresses come and go.
#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/host.h"
#include "tests/sim/lan.h"

namespace vipd::sim {

namespace {
using namespace std::chrono_literals;

constexpr Duration stray_bound = 1500ms;  // the rate limit of removals
}  // namespace

// --- sleep ---

void Host::sleep(Duration duration, Sleep kind) {
  if (!awake() || program_ == Program::none) return;
  if (setup_.plain || (program_ == Program::held && kind == Sleep::frozen)) return;
  say(fmt::format("> {} for {} s",
                  kind == Sleep::frozen      ? "frozen"
                  : kind == Sleep::suspended ? "suspended"
                                             : "paused, with its clock,",
                  scenarios::seconds(duration)));
  sleep_kind_ = kind;
  asleep_since_ = lan_.now();
  asleep_until_ = lan_.now() + duration;
  if (kind != Sleep::frozen) {  // its kernel sleeps too
    kernel_.shift_expiries(duration);
    meddled_until_ += duration;
  }
  update_fitness();
  reschedule();
  lan_.judge().host_changed(*this);
}

void Host::wake_up() {
  if (sleep_kind_ != Sleep::frozen && asleep_until_ > lan_.now())  // sooner than meant
    kernel_.shift_expiries(lan_.now() - asleep_until_);
  if (sleep_kind_ == Sleep::paused) {
    clock_.lose(asleep_since_, lan_.now());
    lan_.judge().fault(Fault::network);  // it cannot know how late it is
    deadline_.reset();
    program_wake_ = not_ever;
  }
  asleep_until_ = asleep_since_ = long_ago;
  woken_ = lan_.now();
  lan_.judge().fault(Fault::process);  // until now
  meddled_until_ = std::max(meddled_until_, lan_.now() + lan_.setup().moment());
  say("wakes up");
  for (std::size_t group = 0; group < routers_.size(); ++group) {
    auto& router = routers_[group];
    const bool owner = running_[lan_.setup().groups[group].entry].priority == vrrp::owner_priority;
    router.must_listen =
        program_ == Program::vipd && !owner && router.state == vrrp::StateName::active &&
        stood_still(group, std::max<Duration>(config(group).advertisement_interval, router.told_interval));
  }
  while (program_ == Program::vipd && awake() && !waiting_.empty()) {
    const auto message = waiting_.front();
    waiting_.pop_front();
    step(*message);
    if (const auto* datagram = std::get_if<vrrp::DatagramReceived>(message.get())) hear(*datagram);
  }
  waiting_.clear();
  if (std::exchange(kernel_waits_, false)) kernel_speaks();
  if (std::exchange(monitor_waits_, false)) monitor_speaks();
  if (program_ == Program::vipd) {
    if (engine_->next_deadline().value_or(never) <= local()) step(vrrp::Tick{});
    if (engine_ && !deadline_) perform({});  // its clock has changed: another moment is the deadline
  }
  update_fitness();
  reschedule();
  lan_.judge().host_changed(*this);
}

// --- what operators do ---

void Host::apply_settings(bool reload) {
  if (!reload || !awake()) return;
  if (program_ == Program::plain || program_ == Program::held || program_ == Program::none) return;
  say("> reload: " + [&] {
    std::string text;
    for (const auto& entry : settings)
      text += fmt::format("priority {}, interval {}, {} addresses{}; ", entry.priority,
                          vipd::to_string(Duration(entry.interval)), entry.addresses,
                          entry.preempt_mode ? "" : ", no preempt");
    return text.substr(0, text.size() - 2);
  }());
  running_ = settings;
  changed_ = lan_.now();
  meddled_until_ = std::max(meddled_until_, lan_.now() + stray_bound);
  step(vrrp::ConfigReplaced{configs(), std::nullopt});
  if (engine_) {
    refresh();
    kept_ = engine_->snapshot();
  }
  lan_.judge().host_changed(*this);
}

void Host::set_check(const std::string& name, bool good) {
  if (healthy.at(name) == good) return;
  say(fmt::format("> check {} {}", name, good ? "up" : "down"));
  healthy[name] = good;
  if (program_ == Program::vipd) lan_.tell_checks(*this, lan_.setup().kernel_delay);
}

void Host::switch_away(std::size_t entry) {
  if (program_ != Program::vipd || !awake() || running_[entry].priority == vrrp::owner_priority) return;
  say("> switch " + lan_.setup().entries[entry]);
  step(vrrp::SwitchRequested{lan_.setup().entries[entry]});
}

void Host::switch_back(std::size_t entry) {
  if (program_ != Program::vipd || !awake()) return;
  say("> switch back " + lan_.setup().entries[entry]);
  step(vrrp::SwitchBackRequested{lan_.setup().entries[entry]});
}

// --- the kernel ---

bool Host::put(const Prefix& prefix, Duration valid) {
  return kernel_.put(prefix, valid == Duration::zero() ? not_ever : lan_.now() + valid);
}

void Host::expire() {
  while (const auto prefix = kernel_.expired(lan_.now())) {
    say(fmt::format("the lifetime of {} ends: its kernel removes it", to_string(*prefix)));
    lan_.judge().lifetime_ended(*this, *prefix);
    if (kernel_.take(*prefix)) kernel_changed();
  }
}

void Host::kernel_changed() {
  lan_.judge().host_changed(*this);
  if (notification_pending_) return;
  notification_pending_ = true;
  lan_.notify(*this, lan_.random().between(lan_.setup().kernel_delay / 4, lan_.setup().kernel_delay));
}

void Host::set_link(bool exists, bool up, bool running) {
  if (!exists) up = running = false;
  const auto& link = kernel_.link();
  if (link.exists() == exists && link.up == up && link.running == running) return;
  say(fmt::format("> link {}", !exists ? "gone" : !up ? "down" : !running ? "no carrier" : "up"));
  if (exists && !link.exists())
    kernel_.make_link(2 + static_cast<std::uint32_t>(lan_.random().below(3)));
  else if (!exists)
    kernel_.remove_link();
  kernel_.set_link(up, running);
  meddled_until_ = std::max(meddled_until_, lan_.now() + lan_.setup().moment());
  update_fitness();
  reschedule();
  kernel_changed();
}

void Host::replace_link() {
  if (!kernel_.link().exists()) return;
  say("> link renewed");
  kernel_.make_link(kernel_.link().index == 2 ? 3 : 2);
  fit_since_.assign(fit_since_.size(), not_ever);
  update_fitness();
  meddled_until_ = std::max(meddled_until_, lan_.now() + lan_.setup().moment());
  reschedule();
  kernel_changed();
}

void Host::set_own_addresses(bool there) {
  if (kernel_.own_addresses_are_there() == there) return;
  say(there ? "> its own addresses are back" : "> its own addresses are gone");
  kernel_.set_own_addresses(there);
  meddled_until_ = std::max(meddled_until_, lan_.now() + lan_.setup().moment());
  update_fitness();
  kernel_changed();
}

// Who sleeps repairs nothing.
void Host::meddled(Duration until_repaired) {
  meddled_until_ = std::max(meddled_until_, std::max(lan_.now(), asleep_until_) + until_repaired);
}

void Host::remove_by_hand(const Prefix& prefix) {
  if (!kernel_.take(prefix)) return;
  say("> somebody removes " + to_string(prefix));
  meddled(repair_bound);
  reschedule();
  kernel_changed();
}

void Host::clean_up() {
  if (alive()) return;
  kernel_.forget_addresses();
}

void Host::add_by_hand(const Prefix& prefix) {
  if (kernel_.has(prefix) || !kernel_.link().exists()) return;
  say("> somebody adds " + to_string(prefix));
  kernel_.add_foreign(prefix);
  meddled(repair_bound);
  kernel_changed();
}

}  // namespace vipd::sim
