// Which advertisements can change a state here: for whoever must drop most of a flood before it is read.
#pragma once

#include <set>
#include <string>

#include "base/ip.h"
#include "vrrp/status.h"

namespace vipd::vrrp {

struct Relevance {
  Priority least_priority = owner_priority;  // of an advertisement, whoever sends it
  // Of these every one matters, whatever its priority: the Actives that are followed, whose farewells
  // (priority 0) and falls a Backup waits for.
  std::set<IpAddress> followed;
};

// For the virtual routers of one interface and family.
Relevance relevance(const Status& status, const std::string& interface, Family family);

}  // namespace vipd::vrrp
