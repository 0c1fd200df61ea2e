#include "daemon/reporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "daemon/event_names.h"
#include "vrrp/events.h"

namespace vipd::daemon {

namespace {
// Events that a stranger on the link can cause at will.
constexpr std::array from_the_network{vrrp::events::address_conflict,  vrrp::events::one_way,
                                      vrrp::events::owner_conflict,    vrrp::events::equal_priority,
                                      vrrp::events::interval_mismatch, vrrp::events::address_list_mismatch,
                                      vrrp::events::inferior_active,   vrrp::events::interval_bounded,
                                      vrrp::events::false_claim,       vrrp::events::sender_identified};
constexpr std::array worth_a_warning{
    vrrp::events::address_conflict, vrrp::events::one_way,          vrrp::events::address_failed,
    vrrp::events::owner_conflict,   vrrp::events::stalled,          vrrp::events::address_restored,
    vrrp::events::inferior_active,  vrrp::events::leftover_removed, vrrp::events::interval_bounded,
    vrrp::events::false_claim,      vrrp::events::sender_identified};

template <class List>
bool is_in(const List& list, std::string_view name) {
  return std::find(list.begin(), list.end(), name) != list.end();
}

LogFields fields_of(const vrrp::RouterKey& key, const std::string& name, std::string_view event) {
  return {{"VIPD_EVENT", std::string(event)},
          {"VIPD_ROUTER", name},
          {"VRID", std::to_string(key.vrid)},
          {"INTERFACE", key.interface},
          {"FAMILY", std::string(to_string(key.family))}};
}
}  // namespace

void Reporter::report(const vrrp::Actions& actions) {
  for (const auto& action : actions) {
    if (const auto* change = std::get_if<vrrp::StateChanged>(&action)) tell(*change);
    if (const auto* note = std::get_if<vrrp::Noted>(&action)) tell(*note);
    if (const auto* discarded = std::get_if<vrrp::AdvertisementDiscarded>(&action)) tell(*discarded);
  }
}

void Reporter::report_flood(const std::string& interface, Family family) {
  const auto text = fmt::format(
      "{}: a flood of {} advertisements: while it lasts, those that are malformed or of low priority are "
      "dropped by "
      "the kernel, and one of 1024 is counted",
      interface, to_string(family));
  log_.write_limited(Level::warning, fmt::format("flood {} {}", interface, to_string(family)), text,
                     {{"VIPD_EVENT", std::string(daemon::events::flooded)}, {"INTERFACE", interface}});
  monitor_.send(Happened{std::string(daemon::events::flooded), {}, {}, text});
}

void Reporter::tell(const vrrp::StateChanged& change) {
  auto fields = fields_of(change.router, change.name, vrrp::events::state_changed);
  fields.emplace_back("STATE", std::string(to_string(change.to)));
  fields.emplace_back("PREVIOUS_STATE", std::string(to_string(change.from)));
  fields.emplace_back("VRRP_PRIORITY", std::to_string(change.priority));
  const auto text = fmt::format("{} -> {} (priority {}): {}", to_string(change.from), to_string(change.to),
                                change.priority, change.reason);
  log_.write(Level::notice, fmt::format("{}, {}: {}", change.name, to_string(change.router), text), fields);
  monitor_.send(
      Happened{std::string(vrrp::events::state_changed), change.name, to_string(change.router), text});
}

void Reporter::tell(const vrrp::Noted& note) {
  const auto line = fmt::format("{}, {}: {}", note.name, to_string(note.router), note.text);
  const auto level = is_in(worth_a_warning, note.event) ? Level::warning : Level::info;
  const auto fields = fields_of(note.router, note.name, note.event);
  if (is_in(from_the_network, note.event))
    log_.write_limited(level, note.event + to_string(note.router), line, fields);
  else
    log_.write(level, line, fields);
  monitor_.send(Happened{note.event, note.name, to_string(note.router), note.text});
}

void Reporter::tell(const vrrp::AdvertisementDiscarded& discarded) {
  // Strangers' virtual routers on the same link are normal, and so are other message types.
  const bool normal =
      discarded.error == vrrp::DecodeError::vrid || discarded.error == vrrp::DecodeError::type;
  log_.write_limited(
      normal ? Level::debug : Level::warning,
      fmt::format("discard {} {}", discarded.interface, to_string(discarded.error)),
      fmt::format("{}: discarded an advertisement of {}: {} ({})", discarded.interface,
                  to_string(discarded.source), describe(discarded.error), to_string(discarded.error)),
      {{"VIPD_EVENT", std::string(vrrp::events::advertisement_discarded)},
       {"INTERFACE", discarded.interface},
       {"DISCARD_REASON", std::string(to_string(discarded.error))}});
}

}  // namespace vipd::daemon
