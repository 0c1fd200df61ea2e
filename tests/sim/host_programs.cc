// What else may run on a Host in place of our router program: the guardian, which holds for a dead one, and
// a router of another make.
#include <fmt/format.h>

#include <utility>

#include "tests/sim/host.h"
#include "tests/sim/lan.h"
#include "vrrp/transmission.h"

namespace vipd::sim {

// --- the guardian holds for a dead router ---

// As the router writes it into its Hold.
programs::HoldState Host::hold_state() const {
  programs::HoldState state{*kept_, {}};
  for (const auto& router : kept_->routers) {
    if (router.state != vrrp::StateName::active) continue;
    const auto of_router = config(group_of(router.key));
    const auto checksum = router.checksum_heard.value_or(vrrp::ChecksumForm::pseudo_header);
    state.held.push_back({router.key, kernel_.link().index, kernel_.own_address(router.key.family),
                          vrrp::advertisement_of(of_router, router.priority, checksum), of_router.addresses,
                          of_router.dead_man});
  }
  return state;
}

// The decisions are those of the guardian, what follows is as in programs/guardian/holder.
void Host::hold() {
  held_.begin(hold_state(), local());
  withdraw_lapsed();
}

void Host::withdraw_lapsed() {
  for (const auto& lapsed : held_.take_lapsed(local())) {
    for (const auto& prefix : lapsed.router.addresses) kernel_.take(prefix);
    set_state(group_of(lapsed.router.key), vrrp::StateName::initialize);
  }
}

void Host::send_for(const programs::HeldRouter& router, vrrp::Priority priority) {
  auto advertisement = router.advertisement;
  advertisement.priority = priority;
  for (auto& each : vrrp::transmissions(advertisement, router.source))
    send(group_of(router.key), each.source, std::move(each.message));
}

void Host::tick_hold() {
  withdraw_lapsed();
  if (held_.empty()) return end_program();
  update_fitness();
  held_.for_each_due(local(), [&](const programs::HeldActives::Due& due) {
    if (due.advertisement) send_for(due.router, due.router.advertisement.priority);
    if (!due.renewal || !kernel_.link().exists()) return;
    bool came = false;
    for (const auto& prefix : due.router.addresses) came |= put(prefix, due.router.dead_man);
    if (came) kernel_changed();
  });
  if (kept_) kept_ = held_.snapshot();
}

void Host::last_will() {
  say("gives the addresses up for its dead router");
  lan_.judge().fault(Fault::process);
  held_.for_each([&](const programs::HeldRouter& router, TimePoint) {
    send_for(router, vrrp::release_priority);
    for (const auto& prefix : router.addresses) kernel_.take(prefix);
  });
  held_.end();
  kept_.reset();
  end_program();
}

// --- a plain router ---

void Host::start_plain() {
  program_ = Program::plain;
  plain_.clear();
  for (std::size_t group = 0; group < routers_.size(); ++group) {
    set_state(group, vrrp::StateName::initialize);
    auto router_config = config(group);
    router_config.checks.clear();
    const auto from = kernel_.own_address(router_config.key.family);
    routers_[group].priority = router_config.priority;
    plain_.push_back(std::make_unique<scenarios::PlainRouter>(
        router_config, from,
        scenarios::PlainRouter::Effects{[this, group, from](std::vector<std::uint8_t> message) {
                                          if (lan_.recording() && message[2] == vrrp::release_priority)
                                            lan_.add(label(lan_.setup().groups[group].key),
                                                     fmt::format("advertises {}", message[2]));
                                          send(group, from, std::move(message));
                                        },
                                        [this, group](vrrp::StateName before, vrrp::StateName after) {
                                          plain_changed(group, before, after);
                                        }}));
  }
  for (const auto& router : plain_) router->startup(local());
  fit_since_.assign(fit_since_.size(), not_ever);
  update_fitness();
  reschedule();
  lan_.judge().host_changed(*this);
}

void Host::plain_changed(std::size_t group, vrrp::StateName from, vrrp::StateName to) {
  if (lan_.recording())
    lan_.say(label(lan_.setup().groups[group].key),
             fmt::format("{} -> {} (plain)", to_string(from), to_string(to)));
  for (const auto& prefix : config(group).addresses) {
    if (to != vrrp::StateName::active) {
      kernel_.take(prefix);
      continue;
    }
    put(prefix, Duration::zero());
    lan_.announce(*this, group, prefix.address);
  }
  set_state(group, to);
  update_fitness();
  lan_.judge().host_changed(*this);
}

}  // namespace vipd::sim
