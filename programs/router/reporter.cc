#include "programs/router/reporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "events/names.h"
#include "programs/common/event_log.h"
#include "vrrp/event_names.h"

namespace vipd::programs {

namespace {
// Events that any host on the link can cause.
constexpr std::array from_the_network{
    vrrp::events::address_conflict,  vrrp::events::one_way,           vrrp::events::owner_conflict,
    vrrp::events::equal_priority,    vrrp::events::interval_mismatch, vrrp::events::address_list_mismatch,
    vrrp::events::inferior_active,   vrrp::events::interval_bounded,  vrrp::events::false_claim,
    vrrp::events::sender_identified, vrrp::events::peer_heard};

template <class List>
bool is_in(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

void name_router(events::Event& event, const vrrp::RouterKey& key, const std::string& name) {
  event.router = name;
  event.virtual_router = to_string(key);
  event.fields["vrid"] = std::to_string(key.vrid);
  event.fields["interface"] = key.interface;
  event.fields["family"] = to_string(key.family);
}
}  // namespace

void Reporter::report(const vrrp::Actions& actions, TimePoint now) {
  Happened happened;
  for (const auto& action : actions) {
    events::Event event;
    const auto told = [&](const auto* kind) { return kind && tell(*kind, event); };
    if (!told(std::get_if<vrrp::StateChanged>(&action)) && !told(std::get_if<vrrp::Noted>(&action)) &&
        !told(std::get_if<vrrp::AdvertisementDiscarded>(&action)))
      continue;
    event.when = now;
    happened.events.push_back(std::move(event));
  }
  if (!happened.events.empty()) guardian_.send(happened);
}

void Reporter::report_flood(const std::string& interface, Family family, TimePoint now) {
  auto event = events::make_event(
      events::flooded,
      fmt::format(
          "{}: a flood of {} advertisements: while it lasts, the kernel drops malformed ones and those of "
          "low priority, and one of 1024 is counted",
          interface, to_string(family)));
  event.fields["interface"] = interface;
  event.fields["family"] = to_string(family);
  event.when = now;
  if (log_limited(log_, fmt::format("flood {} {}", interface, to_string(family)), event))
    guardian_.send(Happened{{std::move(event)}});
}

bool Reporter::tell(const vrrp::StateChanged& change, events::Event& event) {
  event = events::make_event(vrrp::events::state_changed,
                             fmt::format("{} -> {} (priority {}): {}", to_string(change.from),
                                         to_string(change.to), change.priority, change.reason),
                             change.to != vrrp::StateName::initialize);
  name_router(event, change.router, change.name);
  event.fields["state"] = to_string(change.to);
  event.fields["previous_state"] = to_string(change.from);
  event.fields["priority"] = std::to_string(change.priority);
  event.fields["reason"] = change.reason;
  log_event(log_, event);
  return true;
}

bool Reporter::tell(const vrrp::Noted& note, events::Event& event) {
  event = events::make_event(note.event, note.text);
  name_router(event, note.router, note.name);
  if (is_in(from_the_network, note.event))
    return log_limited(log_, note.event + to_string(note.router), event);
  log_event(log_, event);
  return true;
}

bool Reporter::tell(const vrrp::AdvertisementDiscarded& discarded, events::Event& event) {
  event = events::make_event(
      vrrp::events::advertisement_discarded,
      fmt::format("{}: discarded an advertisement from {}: {} ({})", discarded.interface,
                  to_string(discarded.source), describe(discarded.error), to_string(discarded.error)));
  event.fields["interface"] = discarded.interface;
  event.fields["source"] = to_string(discarded.source);
  event.fields["discard_reason"] = to_string(discarded.error);
  const auto key = fmt::format("discard {} {}", discarded.interface, to_string(discarded.error));
  // Other virtual routers on the same link are normal, and so are other message types.
  const bool normal =
      discarded.error == vrrp::DecodeError::vrid || discarded.error == vrrp::DecodeError::type;
  if (!normal) return log_limited(log_, key, event);
  log_.write_limited(Level::debug, key, event.text);
  return false;
}

}  // namespace vipd::programs
