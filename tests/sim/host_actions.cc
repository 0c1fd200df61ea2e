// What a router program decides becomes the case on its Host: messages leave, addresses come and go, the
// lease is renewed, the Judge hears of it, and the timeline.
#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/host.h"
#include "tests/sim/lan.h"

namespace vipd::sim {

namespace {
using namespace std::chrono_literals;

constexpr Duration keep_interval = 1s;  // as in programs/router/router.cc

// Everything but what repeats itself: the state may look otherwise after it.
bool changes_state(const vrrp::Action& action) {
  return !std::holds_alternative<vrrp::SendAdvertisement>(action) &&
         !std::holds_alternative<vrrp::AdvertisementDiscarded>(action) &&
         !std::holds_alternative<vrrp::Renew>(action) && !std::holds_alternative<vrrp::Announce>(action);
}
}  // namespace

void Host::step(const vrrp::Input& event) {
  perform(engine_->step(local(), event));
}

// The state is kept before the actions are performed, as in programs/router/router. A program may die between the two.
void Host::perform(vrrp::Actions actions) {
  const bool changes = std::any_of(actions.begin(), actions.end(), changes_state);
  if (changes || !kept_ || local() - kept_at_ >= keep_interval) {
    kept_ = engine_->snapshot();
    kept_at_ = local();
  }
  if (lan_.recording()) tell(actions);
  if (changes) refresh();
  auto count = actions.size();
  const bool dies = dies_in_turn_ && changes;
  if (dies) count = static_cast<std::size_t>(lan_.random().below(static_cast<int>(count) + 1));
  for (std::size_t i = 0; i < count; ++i) perform_one(actions[i]);
  if (dies) {
    dies_in_turn_ = false;
    // What it has kept says that these were sent.
    for (auto i = count; i < actions.size(); ++i)
      if (const auto* unsent = std::get_if<vrrp::SendAdvertisement>(&actions[i]))
        routers_[group_of(unsent->router)].sent_locally = local();
    lan_.judge().look_at_islands();
    say(fmt::format("(dies after {} of {} actions)", count, actions.size()));
    crash(false);
    lan_.judge().host_changed(*this);
    lan_.judge().fault(Fault::process);
    // Its guardian, or the service manager, starts the next one.
    lan_.at(lan_.now() + lan_.random().between(Duration(1ms), Duration(800ms)), [this] { start(true); });
    return;
  }
  if (stopping_ && engine_->finished()) {
    say("has ended");
    kept_.reset();
    end_program();
    return;
  }
  if (changes) lan_.judge().host_changed(*this);
  const auto deadline = engine_->next_deadline();
  if (deadline != deadline_) {
    deadline_ = deadline;
    program_wake_ = deadline ? std::max(clock_.when(*deadline), lan_.now()) +
                                   lan_.random().between(Duration::zero(), lan_.setup().scheduling)
                             : not_ever;
  }
  reschedule();
}

void Host::perform_one(vrrp::Action& action) {
  if (auto* advert = std::get_if<vrrp::SendAdvertisement>(&action)) {
    const auto group = group_of(advert->router);
    lan_.judge().advertises(*this, group, advert->message);
    send(group, advert->source, std::move(advert->message));
  } else if (const auto* add = std::get_if<vrrp::Put>(&action)) {
    const auto& [place, prefix, valid] = std::get<vrrp::VirtualAddress>(add->resource);
    if (refusing_ && reaches_link() && !kernel_.has(prefix)) {
      meddled_until_ = std::max(meddled_until_, lan_.now() + repair_bound);
      lan_.deliver(*this, lan_.setup().kernel_delay,
                   std::make_shared<const vrrp::Input>(vrrp::AddressFailed{
                       add->router, prefix, "adding it to eth0: No buffer space available"}));
      return;
    }
    lan_.judge().gives_lifetime(*this, group_of(add->router), valid);
    if (reaches_link() && put(prefix, valid)) kernel_changed();
  } else if (const auto* renew = std::get_if<vrrp::Renew>(&action)) {
    bool came = false;
    for (const auto& each : renew->resources) {
      const auto& [place, prefix, valid] = std::get<vrrp::VirtualAddress>(each);
      lan_.judge().gives_lifetime(*this, group_of(renew->router), valid);
      came |= reaches_link() && put(prefix, valid);
    }
    if (came) kernel_changed();
  } else if (const auto* remove = std::get_if<vrrp::Drop>(&action)) {
    if (kernel_.take(std::get<vrrp::VirtualAddress>(remove->resource).prefix)) kernel_changed();
  } else if (const auto* announce = std::get_if<vrrp::Announce>(&action)) {
    lan_.announce(*this, group_of(announce->router), announce->address);
  }
}

void Host::send(std::size_t group, const IpAddress& from, std::vector<std::uint8_t> message) {
  auto& router = routers_[group];
  const auto interval = Duration(Centiseconds((message[4] & 0x0f) << 8 | message[5]));
  if (message[2] == vrrp::release_priority) lan_.judge().farewell(*this, group);
  router.left = message[2] == vrrp::release_priority;
  if (!router.left) {
    if (kernel_.has_link()) {
      if (router.sent + 2 * interval < lan_.now()) router.resumed = lan_.now();
      router.sent = lan_.now();
    }
    router.sent_locally = local();
    router.told = message[2];
    router.told_interval = Centiseconds((message[4] & 0x0f) << 8 | message[5]);
    lan_.judge().says(*this, group, message[2]);
    router.best = std::max(router.best, message[2]);
    if (message[2] == router.best)
      router.fell = long_ago;
    else if (router.fell == long_ago)
      router.fell = lan_.now();
  }
  if (lan_.setup().lease && router.lease_until < lan_.now()) lan_.judge().host_changed(*this);
  if (kernel_.has_link()) router.lease_until = lan_.now() + lease_of(group, interval);
  lan_.transmit(*this, from, std::move(message));
}

// From an advertisement on: what an Active has by its engine; who serves on, or for a dead router, renews it.
Duration Host::lease_of(std::size_t group, Duration interval) const {
  auto lease = vrrp::lease_duration(interval);
  if (!engine_ || !active(group)) return lease;
  engine_->for_each_lease(local(), [&](const vrrp::RouterKey& key, std::optional<TimePoint> until) {
    if (until && *until != TimePoint{} && group_of(key) == group) lease = *until - local();
  });
  return lease;
}

void Host::set_state(std::size_t group, vrrp::StateName state) {
  auto& router = routers_[group];
  if (state != vrrp::StateName::active) router.must_listen = false;
  if (state == router.state) return;
  const auto from = std::exchange(router.state, state);
  router.since = lan_.now();
  if (state == vrrp::StateName::active) {
    router.best = 0;
    router.fell = long_ago;
    router.must_announce = router.became_active = lan_.now();
  }
  if (state == vrrp::StateName::initialize) router.releasing = router.yielded = false;
  lan_.judge().state_changed(*this, group, from);
}

// For so long that a peer may be Active by now.
bool Host::stood_still(std::size_t group, Duration interval) const {
  const auto& router = routers_[group];
  const auto last =
      std::max(router.sent_locally, router.since == long_ago ? TimePoint{} : clock_.read(router.since));
  return local() - last >= 3 * interval;
}

// Looks at what the engine shows, after it has done more than to repeat itself.
void Host::refresh() {
  for (const auto& status : engine_->status(local()).routers) {
    const auto group = group_of(status.config.key);
    auto& router = routers_[group];
    const bool yielded_before = router.yielded;
    router.priority = status.priority;
    set_state(group, status.state);
    router.releasing = status.releasing;
    router.yielded = status.yielded;
    if (yielded_before != status.yielded) changed_ = lan_.now();
    if (yielded_before && !status.yielded) router.yielded_until = lan_.now();
    if (status.releasing || yielded_before) router.gave_way = lan_.now();
  }
  update_fitness();
}

// --- the timeline ---

void Host::say(const std::string& what) {
  lan_.say(what[0] == '>' ? "" : name(), what[0] == '>' ? "> " + name() + what.substr(1) : what);
}

std::string Host::label(const vrrp::RouterKey& key) const {
  const auto& setup = lan_.setup();
  if (setup.groups.size() < 2) return name();
  const auto& group = setup.groups[group_of(key)];
  if (setup.entries.size() < 2) return fmt::format("{}/{}", name(), to_string(key.family));
  return fmt::format("{}/{}/{}", name(), setup.entries[group.entry], to_string(key.family));
}

void Host::tell(const vrrp::Actions& actions) {
  const bool busy = std::any_of(actions.begin(), actions.end(), [](const vrrp::Action& each) {
    return std::holds_alternative<vrrp::StateChanged>(each) || std::holds_alternative<vrrp::Put>(each) ||
           std::holds_alternative<vrrp::Noted>(each);
  });
  for (const auto& action : actions) {
    if (const auto* advert = std::get_if<vrrp::SendAdvertisement>(&action)) {
      const auto& router = routers_[group_of(advert->router)];
      const bool regular = !busy && advert->priority == router.priority &&
                           local() - router.sent_locally >=
                               Duration(config(group_of(advert->router)).advertisement_interval) * 9 / 10;
      if (!regular) lan_.add(label(advert->router), fmt::format("advertises {}", advert->priority));
    } else if (const auto* add = std::get_if<vrrp::Put>(&action)) {
      lan_.add(label(add->router), "adds " + to_string(add->resource));
    } else if (const auto* remove = std::get_if<vrrp::Drop>(&action)) {
      lan_.add(label(remove->router), "removes " + to_string(remove->resource));
    } else if (const auto* announce = std::get_if<vrrp::Announce>(&action)) {
      if (busy) lan_.add(label(announce->router), "announces " + to_string(announce->address));
    } else if (const auto* change = std::get_if<vrrp::StateChanged>(&action)) {
      lan_.say(label(change->router),
               fmt::format("{} -> {}: {}", to_string(change->from), to_string(change->to), change->reason));
    } else if (const auto* noted = std::get_if<vrrp::Noted>(&action)) {
      lan_.say(label(noted->router), fmt::format("[{}] {}", noted->event, noted->text));
    }
  }
}

}  // namespace vipd::sim
