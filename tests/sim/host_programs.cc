// What else may run on a Host in place of our router program: the guardian, which holds for a dead one, and
// a router of another make.
#include <fmt/format.h>

#include <algorithm>

#include "tests/sim/host.h"
#include "tests/sim/lan.h"

namespace vipd::sim {

// --- the guardian holds for a dead router ---

void Host::hold() {
  held_.clear();
  for (const auto& router : kept_->routers) {
    if (router.state != vrrp::StateName::active) continue;
    const auto group = group_of(router.key);
    const auto of_router = config(group);
    // A router that has hung for long must have been replaced: its successor finds that out, not we.
    if (stood_still(group, of_router.advertisement_interval)) continue;
    vrrp::Advertisement advertisement;
    advertisement.vrid = router.key.vrid;
    advertisement.priority = router.priority;
    advertisement.interval = of_router.advertisement_interval;
    for (const auto& prefix : of_router.addresses) advertisement.addresses.push_back(prefix.address);
    advertisement.checksum = router.checksum_heard.value_or(vrrp::ChecksumForm::pseudo_header);
    const auto from = kernel_.own_address(router.key.family);
    held_.push_back({group, vrrp::encode(advertisement, from, vrrp::multicast_group(router.key.family)), from,
                     Duration(of_router.advertisement_interval), router.deadline, local(),
                     of_router.dead_man});
  }
}

void Host::tick_hold() {
  // The guardian's own stall fence: a peer may be Active by now.
  std::erase_if(held_, [&](const Held& held) {
    if (!stood_still(held.group, held.interval)) return false;
    for (const auto& prefix : config(held.group).addresses) kernel_.take(prefix);
    set_state(held.group, vrrp::StateName::initialize);
    return true;
  });
  if (held_.empty()) return end_program();
  update_fitness();
  for (auto& held : held_) {
    if (held.advertisement <= local()) {
      send(held.group, held.source, held.message);
      held.advertisement += held.interval;
      if (held.advertisement <= local()) held.advertisement = local() + held.interval;
      if (kept_)
        for (auto& router : kept_->routers)
          if (group_of(router.key) == held.group) router.deadline = held.advertisement;
    }
    if (held.renewal <= local()) {
      bool came = false;
      if (kernel_.link().exists())
        for (const auto& prefix : config(held.group).addresses) came |= put(prefix, held.dead_man);
      if (came) kernel_changed();
      held.renewal = local() + held.dead_man / 3;
    }
  }
}

void Host::last_will() {
  say("gives the addresses up for its dead router");
  lan_.judge().fault(Fault::process);
  for (const auto& held : std::exchange(held_, {})) {
    auto message = held.message;
    auto farewell =
        vrrp::decode({held.source, vrrp::multicast_group(held.source.family), 255, message}).value();
    farewell.priority = vrrp::release_priority;
    send(held.group, held.source,
         vrrp::encode(farewell, held.source, vrrp::multicast_group(held.source.family)));
    for (const auto& prefix : config(held.group).addresses) kernel_.take(prefix);
  }
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
