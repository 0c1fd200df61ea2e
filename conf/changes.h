// What differs between two configurations, in words: what `vipctl diff` shows before a reload, and what a
// reload answers with. It compares the canonical forms (conf/print), so a key that the schema learns is
// compared too; what follows from a change, for this node and for its peers, is said for the keys that have
// consequences. It knows nothing of the state: whether this node stays Active is for those to say who can ask
// it.
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
  std::string key;      // "priority", "address", ...; empty if the whole entry has come or gone
  std::string before;   // as the file would have it; empty if it was added
  std::string after;    // ... if it was removed
  std::string consequence;
  bool interrupts = false;  // clients notice it, or may

  bool operator==(const Change&) const = default;
};

// In the order of the file: virtual routers, then virtual servers; what has gone comes last of its kind.
std::vector<Change> changes(const Config& before, const Config& after);

// "virtual router edge: priority 150 -> 120", with the consequence in a line below, indented.
std::string to_text(const Change& change);
// All of them, or "nothing would change".
std::string to_text(const std::vector<Change>& changes);

// What follows if there is no such interface.
std::string without_interface(const RouterEntry& router);

}  // namespace vipd::conf
