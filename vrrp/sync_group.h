// SyncGroup: the virtual routers of one entry (IPv4 and IPv6) move together.
//
// They share what keeps them in Initialize: an obstacle of one is an obstacle of all. And one takes over only
// together with the others, so that a fault of one family alone (a switch that loses IPv6 multicast, say)
// does not lead to two Actives of the other family. But if the other family's Active is still there after one
// more Active_Down_Interval, the silent family is served alone, rather than by no node.
// Stepping down needs no rule: both families hear the same peer within a moment. Should they nevertheless be
// Active on different nodes, the better node takes both, whatever its Preempt_Mode.
#pragma once

#include <string>
#include <vector>

#include "vrrp/virtual_router.h"

namespace vipd::vrrp::sync_group {

enum class TakeOver { together, wait, alone };

// What `router` does now that its Active_Down_Timer has fired.
TakeOver take_over(const VirtualRouter& router, const std::vector<VirtualRouter*>& entry, TimePoint now);

// Whether another family of the entry is Active here.
bool active_for_another(const VirtualRouter& router, const std::vector<VirtualRouter*>& entry);

// The union of the members' obstacles, each once.
std::vector<std::string> shared_obstacles(const std::vector<std::vector<std::string>>& obstacles);

}  // namespace vipd::vrrp::sync_group
