#include "tests/scenarios/lan.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

namespace vipd::scenarios {

bool Lan::Node::has(const Prefix& prefix) const {
  return std::any_of(link.addresses.begin(), link.addresses.end(),
                     [&](const auto& each) { return each.prefix == prefix; });
}

Lan::Node& Lan::node(const std::string& name) {
  auto [place, is_new] = nodes_.try_emplace(name);
  auto& node = place->second;
  if (is_new) {
    const auto n = nodes_.size();
    node.name = name;
    node.link = {"eth0", 2, true, true, 1500, {{2, 0, 0, 0, 0, static_cast<std::uint8_t>(n)}}, {}};
    node.link.addresses = {{Prefix::parse(fmt::format("192.0.2.{}/24", n)).value()},
                           {Prefix::parse(fmt::format("fe80::{:x}/64", n)).value()}};
  }
  return node;
}

std::vector<std::string> Lan::names() const {
  std::vector<std::string> names;
  for (const auto& [name, node] : nodes_) names.push_back(name);
  return names;
}

// --- time ---

void Lan::run_until(TimePoint when) {
  while (true) {
    TimePoint next = deliveries_.empty() ? never : deliveries_.top().when;
    for (auto& [name, node] : nodes_) {
      if (node.asleep_until > now_) {
        next = std::min(next, node.asleep_until);
      } else {
        if (node.engine) next = std::min(next, node.engine->next_deadline().value_or(never));
        for (const auto& router : node.plain_routers) next = std::min(next, router->deadline());
      }
      if (!node.suspended)
        for (const auto& [prefix, expiry] : node.expires) next = std::min(next, expiry);
    }
    next = std::max(next, now_);
    if (next > when) break;
    now_ = next;
    for (auto& [name, node] : nodes_) {
      expire(node);
      if (node.asleep_until != TimePoint::min() && node.asleep_until <= now_) wake(node);
    }
    // What is on the way arrives before timers are looked at, as in the programs' loop.
    if (!deliveries_.empty() && deliveries_.top().when <= now_) {
      const auto delivery = deliveries_.top();
      deliveries_.pop();
      take(nodes_.at(delivery.to), delivery.event);
    } else {
      for (auto& [name, node] : nodes_)
        if (tick(node)) break;
    }
    measure();
  }
  now_ = when;
  measure();
}

bool Lan::tick(Node& node) {
  if (node.asleep_until > now_) return false;
  if (node.engine && node.engine->next_deadline().value_or(never) <= now_) {
    step(node, vrrp::Tick{});
    return true;
  }
  for (const auto& router : node.plain_routers)
    if (router->deadline() <= now_) {
      router->tick(now_);
      return true;
    }
  return false;
}

void Lan::deliver(TimePoint when, const std::string& to, vrrp::Input event) {
  deliveries_.push({when, order_++, to, std::move(event)});
}

void Lan::take(Node& node, const vrrp::Input& event) {
  const bool is_packet = std::holds_alternative<vrrp::DatagramReceived>(event);
  if (node.asleep_until > now_) {
    if (!(node.suspended && is_packet)) node.waiting.push_back(event);
    return;
  }
  if (node.engine) return step(node, event);
  const auto* packet = std::get_if<vrrp::DatagramReceived>(&event);
  if (!packet) return;
  const auto advertisement =
      vrrp::decode({packet->source, packet->destination, packet->hop_limit, packet->payload});
  if (!advertisement) return;
  for (const auto& router : node.plain_routers)
    if (router->config().key.vrid == advertisement->vrid &&
        router->config().key.family == packet->source.family)
      router->received(now_, packet->source, *advertisement);
}

void Lan::sleep(Node& node, Duration duration, bool suspended) {
  node.asleep_until = now_ + duration;
  node.suspended = suspended;
  if (suspended)
    for (auto& [prefix, expiry] : node.expires) expiry += duration;
  measure();
}

void Lan::wake(Node& node) {
  node.asleep_until = TimePoint::min();
  node.suspended = false;
  timeline_.say(now_, node.name, "wakes up");
  while (!node.waiting.empty()) {
    const auto event = node.waiting.front();
    node.waiting.pop_front();
    take(node, event);
  }
}

// --- the programs ---

void Lan::start(Node& node, bool adopt) {
  node.stopping = false;
  if (node.plain) return start_plain(node);
  replay(node);
  node.told.entries.clear();
  node.did.clear();
  node.engine = std::make_unique<vrrp::Engine>();
  step(node, vrrp::InterfaceChanged{node.link});
  auto adopted = adopt ? std::exchange(node.left_behind, std::nullopt) : std::nullopt;
  std::vector<vrrp::VirtualRouterConfig> configs;
  for (const auto& [name, entry] : node.entries) {
    configs.insert(configs.end(), entry.begin(), entry.end());
    for (const auto& tracked : entry.front().checks)
      node.checks.try_emplace(tracked.check, vrrp::CheckFact{tracked.check, true, {}, "200 OK", now_});
  }
  if (!adopted)
    for (const auto& [name, fact] : node.checks)
      if (fact) step(node, vrrp::HealthChanged{*fact});
  step(node, vrrp::ConfigReplaced{configs, std::move(adopted)});
}

void Lan::start_plain(Node& node) {
  for (const auto& [name, entry] : node.entries)
    for (const auto& config : entry) {
      const auto primary =
          std::find_if(node.link.addresses.begin(), node.link.addresses.end(),
                       [&](const auto& each) { return each.prefix.address.family == config.key.family; });
      const auto source = primary->prefix.address;
      auto* router =
          node.plain_routers
              .emplace_back(std::make_unique<PlainRouter>(
                  config, source,
                  PlainRouter::Effects{
                      [this, &node, source, key = config.key](const std::vector<std::uint8_t>& message) {
                        const vrrp::SendAdvertisement advert{key, key.interface, message[2], source,
                                                             {},  message};
                        if (show.adverts || !regular(node, advert))
                          timeline_.add(
                              now_, node.name,
                              fmt::format("advertises {}{}", advert.priority, sum(source, message)));
                        transmit(node, source, message);
                      },
                      [this, &node, config](vrrp::StateName from, vrrp::StateName to) {
                        timeline_.say(now_, node.name,
                                      fmt::format("{} -> {} (plain)", to_string(from), to_string(to)));
                        for (const auto& prefix : config.addresses) {
                          std::erase_if(node.link.addresses,
                                        [&](const auto& each) { return each.prefix == prefix; });
                          if (to == vrrp::StateName::active) node.link.addresses.push_back({prefix});
                        }
                      }}))
              .get();
      router->startup(now_);
    }
  measure();
}

void Lan::stop(Node& node) {
  node.stopping = true;
  if (node.engine) return event(node, vrrp::Shutdown{});
  for (const auto& router : node.plain_routers) router->shutdown(now_);
  node.plain_routers.clear();
  measure();
}

void Lan::kill(Node& node) {
  if (node.engine) node.left_behind = node.engine->snapshot();
  node.engine.reset();
  node.plain_routers.clear();
  node.waiting.clear();
}

void Lan::reload(Node& node) {
  std::vector<vrrp::VirtualRouterConfig> configs;
  for (const auto& [name, entry] : node.entries) configs.insert(configs.end(), entry.begin(), entry.end());
  event(node, vrrp::ConfigReplaced{configs, std::nullopt});
}

void Lan::check(Node& node, const std::string& name) {
  if (const auto& fact = node.checks.at(name); fact && node.engine) event(node, vrrp::HealthChanged{*fact});
}

void Lan::plain_priority(Node& node, vrrp::Priority priority) {
  for (const auto& router : node.plain_routers) router->set_priority(priority);
}

void Lan::event(Node& node, vrrp::Input event) {
  take(node, event);
  measure();
}

// --- the kernel ---

void Lan::link_changed(Node& node) {
  event(node, vrrp::InterfaceChanged{node.link});
}

void Lan::remove_address(Node& node, const Prefix& prefix) {
  std::erase_if(node.link.addresses, [&](const auto& each) { return each.prefix == prefix; });
  node.expires.erase(prefix);
  link_changed(node);
}

void Lan::add_address(Node& node, const Prefix& prefix) {
  node.link.addresses.push_back({prefix});
  link_changed(node);
}

void Lan::expire(Node& node) {
  if (node.suspended) return;
  bool changed = false;
  std::erase_if(node.expires, [&](const auto& each) {
    if (each.second > now_) return false;
    timeline_.say(now_, node.name,
                  fmt::format("the lifetime of {} ends: its kernel removes it", to_string(each.first)));
    std::erase_if(node.link.addresses, [&](const auto& address) { return address.prefix == each.first; });
    return changed = true;
  });
  if (changed) deliver(now_, node.name, vrrp::InterfaceChanged{node.link});
}

// All that an operator or a peer could see of an action.
std::string line_of(const vrrp::Action& action) {
  return std::visit(
      [&](const auto& each) {
        std::string text = std::to_string(action.index());
        if constexpr (requires { each.router; }) text += " " + to_string(each.router);
        if constexpr (requires { each.prefix; }) text += " " + to_string(each.prefix);
        if constexpr (requires { each.address; }) text += " " + to_string(each.address);
        if constexpr (requires { each.priority; }) text += " " + std::to_string(each.priority);
        if constexpr (requires { each.text; }) text += " " + each.text;
        if constexpr (requires { each.reason; }) text += " " + each.reason;
        if constexpr (requires { each.message; }) text += fmt::format(" {}", fmt::join(each.message, " "));
        return text;
      },
      action);
}

void Lan::step(Node& node, const vrrp::Input& event) {
  node.told.entries.push_back({now_, event});
  const auto actions = node.engine->step(now_, event);
  for (const auto& action : actions) node.did.push_back(line_of(action));
  perform(node, actions);
}

// A recording of this node, written and read, must do the same again.
void Lan::replay(Node& node) {
  if (node.told.entries.empty()) return;
  const auto read = record::parse(record::to_text(node.told));
  std::vector<std::string> does;
  if (read) {
    vrrp::Engine engine;
    for (const auto& [when, event] : read->entries)
      for (const auto& action : engine.step(when, event)) does.push_back(line_of(action));
  }
  const auto [then, now] = std::mismatch(node.did.begin(), node.did.end(), does.begin(), does.end());
  if (!read)
    timeline_.say(now_, node.name, "(!) its recording cannot be read: " + read.error().message);
  else if (then != node.did.end() || now != does.end())
    timeline_.say(
        now_, node.name,
        fmt::format("(!) its recording does something else: {} in place of {}",
                    now == does.end() ? "nothing" : *now, then == node.did.end() ? "nothing" : *then));
}

void Lan::perform(Node& node, const vrrp::Actions& actions) {
  write(node, actions);
  bool changed = false;
  const auto set_lifetime = [&](const Prefix& prefix, Duration valid) {
    if (valid == Duration::zero())
      node.expires.erase(prefix);
    else
      node.expires[prefix] = now_ + valid;
  };
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<vrrp::SendAdvertisement>(&action)) {
      transmit(node, send->source, send->message);
    } else if (const auto* announce = std::get_if<vrrp::Announce>(&action)) {
      claim(node, announce->address);
    } else if (const auto* question = std::get_if<vrrp::Probe>(&action)) {
      probe(node, question->address);
    } else if (const auto* add = std::get_if<vrrp::Put>(&action)) {
      const auto& [place, prefix, valid] = std::get<vrrp::VirtualAddress>(add->resource);
      if (node.refused.contains(prefix)) {
        deliver(now_, node.name,
                vrrp::AddressFailed{
                    add->router, prefix,
                    fmt::format("adding {} to eth0: No buffer space available", to_string(prefix))});
        continue;
      }
      if (!node.has(prefix)) {
        node.link.addresses.push_back({prefix, false, false, true});
        changed = true;
      }
      set_lifetime(prefix, valid);
    } else if (const auto* renew = std::get_if<vrrp::Renew>(&action)) {
      for (const auto& each : renew->resources) {
        const auto& [place, prefix, valid] = std::get<vrrp::VirtualAddress>(each);
        if (node.has(prefix)) set_lifetime(prefix, valid);
      }
    } else if (const auto* remove = std::get_if<vrrp::Drop>(&action)) {
      const auto& prefix = std::get<vrrp::VirtualAddress>(remove->resource).prefix;
      changed |=
          std::erase_if(node.link.addresses, [&](const auto& each) { return each.prefix == prefix; }) > 0;
      node.expires.erase(prefix);
    }
  }
  measure();
  if (changed) deliver(now_, node.name, vrrp::InterfaceChanged{node.link});
  if (node.stopping && node.engine && node.engine->finished()) {
    timeline_.say(now_, node.name, "has ended");
    node.engine.reset();
  }
}

// --- the link ---

void Lan::transmit(const Node& from, const IpAddress& source, const std::vector<std::uint8_t>& message) {
  auto& sender = nodes_.at(from.name);
  if (from.cut || from.mute || !from.link.running || filtered == source.family) return;
  if (sender.lose > 0) {
    --sender.lose;
    timeline_.say(now_, from.name, fmt::format("(its advertisement of {} is lost)", message[2]));
    return;
  }
  for (const auto& [name, node] : nodes_) {
    if (name == from.name || node.cut || node.deaf || !node.link.running) continue;
    deliver(
        now_ + latency, name,
        vrrp::DatagramReceived{"eth0", source, vrrp::multicast_group(source.family), 255, message, false});
  }
}

// Every node hears an announcement of an address.
void Lan::claim(const Node& from, const IpAddress& address) {
  if (!reachable(from)) return;
  for (const auto& [name, node] : nodes_)
    if (name != from.name && reachable(node))
      deliver(now_ + latency, name, vrrp::AddressClaimed{"eth0", address, from.link.mac});
}

// Whoever has it answers who has asked.
void Lan::probe(const Node& from, const IpAddress& address) {
  if (!reachable(from)) return;
  for (const auto& [name, node] : nodes_)
    if (name != from.name && reachable(node) &&
        std::any_of(node.link.addresses.begin(), node.link.addresses.end(),
                    [&](const auto& each) { return each.prefix.address == address; }))
      deliver(now_ + 2 * latency, from.name, vrrp::AddressClaimed{"eth0", address, node.link.mac});
  if (const auto rogue = rogues_.find(address); rogue != rogues_.end())
    deliver(now_ + 2 * latency, from.name, vrrp::AddressClaimed{"eth0", address, rogue->second});
}

void Lan::rogue(const IpAddress& address, const MacAddress& mac) {
  if (mac == MacAddress{}) {
    rogues_.erase(address);
    return;
  }
  rogues_[address] = mac;
  for (const auto& [name, node] : nodes_)
    if (reachable(node)) deliver(now_ + latency, name, vrrp::AddressClaimed{"eth0", address, mac});
}

void Lan::send(const std::string& to, const IpAddress& source, int hop_limit,
               std::vector<std::uint8_t> message) {
  for (const auto& [name, node] : nodes_)
    if (!node.cut && node.link.running && (to.empty() || to == name))
      deliver(now_, name,
              vrrp::DatagramReceived{"eth0", source, vrrp::multicast_group(source.family), hop_limit, message,
                                     false});
}

// --- who holds what ---

std::set<IpAddress> Lan::virtual_addresses() const {
  std::set<IpAddress> result;
  for (const auto& [name, node] : nodes_)
    for (const auto& [entry, configs] : node.entries)
      for (const auto& config : configs)
        for (const auto& prefix : config.addresses) result.insert(prefix.address);
  return result;
}

// A client on the link reaches its kernel. A program that is frozen or dead does not matter for that.
bool Lan::reachable(const Node& node) const {
  return !node.cut && node.link.running && !node.suspended;
}

void Lan::measure() {
  for (const auto& address : virtual_addresses()) {
    auto& held = held_[address];
    if (held.ever) {
      if (held.holders == 0) held.nobody += now_ - held.since;
      if (held.holders > 1) held.two += now_ - held.since;
    }
    held.since = now_;
    held.holders = 0;
    for (const auto& [name, node] : nodes_)
      held.holders +=
          reachable(node) && std::any_of(node.link.addresses.begin(), node.link.addresses.end(),
                                         [&](const auto& each) { return each.prefix.address == address; });
    held.ever |= held.holders > 0;
  }
}

void Lan::summary() {
  for (auto& [name, node] : nodes_) replay(node);
  for (const auto& [address, held] : held_) {
    std::vector<std::string> holders;
    for (const auto& [name, node] : nodes_)
      for (const auto& each : node.link.addresses)
        if (each.prefix.address == address)
          holders.push_back(name + (reachable(node) ? "" : " (out of reach)"));
    timeline_.say(now_, "",
                  fmt::format("= {}: on {}; nobody reachable for {} s, two for {} s", to_string(address),
                              holders.empty() ? "nobody" : fmt::format("{}", fmt::join(holders, ", ")),
                              seconds(held.nobody), seconds(held.two)));
  }
}

// --- the timeline ---

std::string Lan::label(const Node& node, const std::string& entry, const vrrp::RouterKey& key) const {
  std::size_t routers = 0;
  for (const auto& [name, configs] : node.entries) routers += configs.size();
  if (routers < 2) return node.name;
  if (node.entries.size() < 2) return fmt::format("{}/{}", node.name, to_string(key.family));
  return fmt::format("{}/{}", node.name, entry);
}

// One that comes an interval after the last, with the same priority.
bool Lan::regular(const Node& node, const vrrp::SendAdvertisement& advert) {
  const std::pair key{node.name, advert.router};
  const auto last = last_adverts_.find(key);
  const auto interval = Duration(Centiseconds((advert.message[4] & 0x0f) << 8 | advert.message[5]));
  const bool known = last != last_adverts_.end() && last->second.priority == advert.priority;
  const auto early = known ? interval - (now_ - last->second.when) : interval;
  const bool in_time = known && std::chrono::abs(early) <= std::chrono::milliseconds(1);
  last_adverts_[key] = {advert.priority, now_};
  return in_time;
}

void Lan::write(Node& node, const vrrp::Actions& actions) {
  std::map<vrrp::RouterKey, std::string> entry_names;
  for (const auto& [name, configs] : node.entries)
    for (const auto& config : configs) entry_names[config.key] = name;
  const auto who = [&](const vrrp::RouterKey& key) { return label(node, entry_names[key], key); };
  std::set<vrrp::RouterKey> busy;  // does more than to repeat itself
  for (const auto& action : actions) {
    if (const auto* add = std::get_if<vrrp::Put>(&action)) busy.insert(add->router);
    if (const auto* send = std::get_if<vrrp::SendAdvertisement>(&action)) {
      const auto last = last_adverts_;
      if (!regular(node, *send)) busy.insert(send->router);
      last_adverts_ = last;
    }
  }
  for (const auto& action : actions) {
    if (const auto* send = std::get_if<vrrp::SendAdvertisement>(&action)) {
      if (!regular(node, *send) || show.adverts)
        timeline_.add(now_, who(send->router),
                      fmt::format("advertises {}{}", send->priority, sum(send->source, send->message)));
    } else if (const auto* add = std::get_if<vrrp::Put>(&action)) {
      timeline_.add(now_, who(add->router), "adds " + to_string(add->resource));
    } else if (const auto* remove = std::get_if<vrrp::Drop>(&action)) {
      timeline_.add(now_, who(remove->router), "removes " + to_string(remove->resource));
    } else if (const auto* renew = std::get_if<vrrp::Renew>(&action)) {
      if (show.renewals) timeline_.add(now_, who(renew->router), "renews its addresses");
    } else if (const auto* announce = std::get_if<vrrp::Announce>(&action)) {
      if (busy.contains(announce->router) || show.announcements)
        timeline_.add(now_, who(announce->router), "announces " + to_string(announce->address));
    } else if (const auto* change = std::get_if<vrrp::StateChanged>(&action)) {
      timeline_.say(
          now_, who(change->router),
          fmt::format("{} -> {}: {}", to_string(change->from), to_string(change->to), change->reason));
    } else if (const auto* discarded = std::get_if<vrrp::AdvertisementDiscarded>(&action)) {
      const bool is_new = discards_told_.insert({node.name, discarded->source, discarded->error}).second;
      if (is_new || show.discards)
        timeline_.say(now_, node.name,
                      fmt::format("discards a message from {}: {}", to_string(discarded->source),
                                  to_string(discarded->error)));
    } else if (const auto* noted = std::get_if<vrrp::Noted>(&action)) {
      timeline_.say(now_, who(noted->router), fmt::format("[{}] {}", noted->event, noted->text));
    }
  }
}

std::string Lan::sum(const IpAddress& source, const std::vector<std::uint8_t>& message) const {
  if (!show.checksums) return {};
  const auto decoded = vrrp::decode({source, vrrp::multicast_group(source.family), 255, message});
  return decoded->checksum == vrrp::ChecksumForm::rfc9568 ? " (RFC 9568 checksum)"
                                                          : " (pseudo-header checksum)";
}

void Lan::status(const std::string& name) {
  const auto& node = nodes_.at(name);
  if (!node.alive()) return timeline_.say(now_, name, "is not running");
  for (const auto& router : node.plain_routers)
    timeline_.say(
        now_, name,
        fmt::format("is {} with priority {} (plain)", to_string(router->state()), router->config().priority));
  if (!node.engine) return;
  for (const auto& router : node.engine->status(now_).routers) {
    auto text = fmt::format("is {} with priority {}", to_string(router.state), router.priority);
    if (router.yielded) text += ", has given way";
    if (router.releasing) text += ", hands over";
    if (router.deadline) text += fmt::format(", timer {} s", seconds(*router.deadline - now_));
    timeline_.say(now_, label(node, router.config.name, router.config.key), text);
  }
}

void Lan::explain(const std::string& name) {
  const auto& node = nodes_.at(name);
  if (!node.engine) return;
  for (const auto& router : node.engine->status(now_).routers)
    for (const auto& sentence : vrrp::explain(router, now_)) timeline_.say(now_, name, "| " + sentence);
}

}  // namespace vipd::scenarios
