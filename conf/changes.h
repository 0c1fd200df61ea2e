// Describes the differences between two configurations: `vipctl diff` shows them before a reload, and a
// reload answers with them. It compares the canonical forms (conf/print), so every key of the schema is
// covered. For keys whose change affects this node or its peers it adds the consequence. It does not know the
// state of the router, so it cannot predict whether this node stays Active.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "conf/config.h"

namespace vipd::conf {

struct Change {
  enum class Kind : std::uint8_t { added, removed, changed };
  Kind kind = Kind::changed;
  std::string subject;  // "virtual router edge", "virtual server web", "check web/nginx"
  std::string key;      // "priority", "address", ...; empty if the whole entry was added or removed
  std::string before;   // as written in a file; empty if it was added
  std::string after;    // empty if it was removed
  std::string consequence;
  bool interrupts = false;  // clients notice it, or may notice it

  bool operator==(const Change&) const = default;
};

// In the order of the file: virtual routers, then virtual servers; removed entries come last of their kind.
std::vector<Change> changes(const Config& before, const Config& after);

// "virtual router edge: priority 150 -> 120", with the consequence indented on the next line.
std::string to_text(const Change& change);

// The consequence if the interface does not exist.
std::string without_interface(const RouterEntry& router);

}  // namespace vipd::conf
