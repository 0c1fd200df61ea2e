// The messages of vipd's programs to each other: each is a struct of plain data with a type, which stands before its
// bytes. One file for each channel, guardian_router_messages.h, guardian_monitor_messages.h and
// monitor_router_messages.h, says which of them travel in which direction, as one variant; the receiver visits it
// whole. A message with a member `descriptor` may carry one, none has more. Here is what they have in common.
#pragma once

#include <cstdint>
#include <vector>

#include "base/archive.h"
#include "events/event.h"

namespace vipd::programs {

// New ones at the end: they are the same in every release.
enum class MessageType : std::uint16_t {
  configure = 1,
  stop,
  monitor_link,
  ready,
  stopped,
  checks,
  router_link,
  script_ended,
  reloaded,
  programs,
  run_script,
  cancel_script,
  reload_request,
  health,
  status_request,
  command,
  known_facts,
  status_reply,
  command_done,
  happened,
  alive,
  control_access,
  upgrade_request,
  upgraded,
  leases,
  wanted_leases,
  record_request,
  record_reply,
  confirm_request,
  configuration_request,
  configuration_reply,
  discard,
  event_settings,
  events_taken,
  metrics_socket,
  delivery_settings,
};

// To the guardian: events of the sender. From the guardian to the monitor: all events of this node, numbered.
struct Happened {
  static constexpr auto type = MessageType::happened;
  std::vector<events::Event> events;
  std::uint64_t last{};  // from the guardian: the number of the last one
};
template <class A>
constexpr void fields(A& a, Is<Happened> auto& m) {
  a("events", m.events)("last", m.last);
}

// A sign of life.
struct Alive {
  static constexpr auto type = MessageType::alive;
};
template <class A>
constexpr void fields(A&, Is<Alive> auto&) {}

}  // namespace vipd::programs
