#include "programs/common/event_log.h"

#include <fmt/format.h>

#include <array>

#include "vrrp/event_names.h"

namespace vipd::programs {

namespace {
struct JournalField {
  std::string_view name;
  std::string_view of;  // the field of the event
};
constexpr std::array<JournalField, 9> journal_fields{{{"STATE", "state"},
                                                      {"PREVIOUS_STATE", "previous_state"},
                                                      {"VRRP_PRIORITY", "priority"},
                                                      {"VRID", "vrid"},
                                                      {"INTERFACE", "interface"},
                                                      {"FAMILY", "family"},
                                                      {"DISCARD_REASON", "discard_reason"},
                                                      {"VIPD_CHECK", "check"},
                                                      {"VIPD_PROGRAM", "program"}}};

LogFields fields_of(const events::Event& event) {
  LogFields fields{{"VIPD_EVENT", event.name},
                   {"VIPD_SEVERITY", std::string(events::to_string(event.severity))}};
  if (!event.router.empty()) fields.emplace_back("VIPD_ROUTER", event.router);
  for (const auto& [name, of] : journal_fields)
    if (const auto found = event.fields.find(std::string(of)); found != event.fields.end())
      fields.emplace_back(name, found->second);
  return fields;
}

Level level_of(const events::Event& event) {
  if (event.name == vrrp::events::state_changed) return Level::notice;
  switch (event.severity) {
    case events::Severity::p0: return Level::error;
    case events::Severity::p1: return Level::warning;
    case events::Severity::p2: break;
  }
  // The engine has many events.
  return event.virtual_router.empty() ? Level::notice : Level::info;
}
}  // namespace

std::string log_line(const events::Event& event) {
  if (event.virtual_router.empty()) return event.text;
  return fmt::format("{}, {}: {}", event.router, event.virtual_router, event.text);
}

void log_event(Log& log, const events::Event& event) {
  log.write(level_of(event), log_line(event), fields_of(event));
}

bool log_limited(Log& log, const std::string& key, events::Event& event) {
  const auto left_out = log.left_out_if_due(key);
  if (!left_out) return false;
  if (*left_out > 0) event.text += fmt::format(" ({} more since the last such line)", *left_out);
  log_event(log, event);
  return true;
}

}  // namespace vipd::programs
