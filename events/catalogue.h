// The catalogue: every event that there is, how grave it is, and what it means in a few words. One table for
// the code, the manual (tests/docs_test.cc compares them) and whoever sorts alerts.
//
//   P0  nobody may serve, or two may: look now
//   P1  the service goes on, but the next fault may end it: redundancy, a safeguard or a check is missing
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
  Severity severity;  // the gravest that it can have
  Severity relieved;  // ... when it is good news: a check is up again. The same where there is none
  std::string_view meaning;
};

std::span<const Kind> catalogue();

// nullptr: there is no such event.
const Kind* find_kind(std::string_view name);

// What is told of hooks is not for hooks: it would go round and round.
bool is_about_hooks(std::string_view name);

}  // namespace vipd::events
