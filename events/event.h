// Event: an occurrence on this node, as a value: a stable name, a severity, fields for programs and a
// sentence for people. The router, the monitor and the guardian make events; the guardian numbers them; the
// journal, hooks and `vipctl` get them.
#pragma once

#include <chrono>
#include <map>
#include <string>
#include <string_view>

#include "base/archive.h"
#include "base/time.h"
#include "events/catalogue.h"

namespace vipd::events {

using WallTime = std::chrono::time_point<std::chrono::system_clock, std::chrono::milliseconds>;

// By name, such as {"state", "Active"}. Their names are in vipctl(8).
using Fields = std::map<std::string, std::string>;

struct Event {
  std::string name;  // one of the catalogue
  Severity severity = Severity::p2;
  std::string router;          // name of the entry it concerns, or empty
  std::string virtual_router;  // "VRID 51 on eth0 (IPv4)", or empty
  Fields fields;
  std::string text;
  TimePoint when{};  // CLOCK_BOOTTIME of the program that made it
  // Set by the guardian.
  std::string id;   // unique on this node
  WallTime time{};  // UTC

  bool operator==(const Event&) const = default;
};

// With the severity of the catalogue; `relieved`: with that of its good news.
Event make_event(std::string_view name, std::string text, bool relieved = false);

template <class A>
constexpr void fields(A& a, Is<Event> auto& e) {
  a("name", e.name)("severity", e.severity)("router", e.router)("virtual_router", e.virtual_router)(
      "fields", e.fields)("text", e.text)("when", e.when)("id", e.id)("time", e.time);
}

}  // namespace vipd::events
