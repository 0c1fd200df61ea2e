// Which advertisements can change a state here: for code that must drop most of a flood before reading it.
#pragma once

#include <set>
#include <string>

#include "base/ip.h"
#include "vrrp/status.h"

namespace vipd::vrrp {

struct Relevance {
  Priority least_priority = owner_priority;  // of an advertisement by any sender
  // Every advertisement of these senders matters, whatever its priority: they are the Actives that are
  // followed, and a Backup waits for their farewells (priority 0) and falls.
  std::set<IpAddress> followed;
};

// For the virtual routers of one interface and family.
Relevance relevance(const Status& status, const std::string& interface, Family family);

}  // namespace vipd::vrrp
