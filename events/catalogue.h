// The catalogue: every event with its severity and a short description. One table for the code, the manual
// (tests/docs_test.cc compares them) and the routing of alerts.
//
//   P0  no node may be serving, or two may be: look now
//   P1  the service continues, but the next fault may end it: redundancy, a safeguard or a check is missing
//   P2  for information
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace vipd::events {

enum class Severity : std::uint8_t { p0, p1, p2 };

constexpr bool known(Severity severity) {
  return severity <= Severity::p2;
}

std::string_view to_string(Severity severity);                  // "P0"
std::optional<Severity> parse_severity(std::string_view text);  // "P0" or "p0"

struct Kind {
  std::string_view name;
  Severity severity;  // the highest that it can have
  Severity relieved;  // ... of its good news, such as a check that is up again; the same if there is none
  std::string_view meaning;
};

std::span<const Kind> catalogue();

// nullptr: no such event.
const Kind* find_kind(std::string_view name);

// Events about hooks do not run hooks: that would be an endless loop.
bool is_about_hooks(std::string_view name);

}  // namespace vipd::events
