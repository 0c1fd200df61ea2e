// The stable names of the engine's events for operators. events/catalogue.cc has their severities; the manual
// explains each (a test compares the two).
#pragma once

#include <string_view>

namespace vipd::vrrp::events {

constexpr std::string_view state_changed = "state_changed";
constexpr std::string_view obstructed = "obstructed";
constexpr std::string_view priority_changed = "priority_changed";
constexpr std::string_view address_restored = "address_restored";
constexpr std::string_view address_failed = "address_failed";
constexpr std::string_view leftover_removed = "leftover_removed";
constexpr std::string_view owner_conflict = "owner_conflict";
constexpr std::string_view equal_priority = "equal_priority";
constexpr std::string_view interval_mismatch = "interval_mismatch";
constexpr std::string_view interval_bounded = "interval_bounded";
constexpr std::string_view address_conflict = "address_conflict";
constexpr std::string_view one_way = "one_way";
constexpr std::string_view false_claim = "false_claim";
constexpr std::string_view sender_identified = "sender_identified";
constexpr std::string_view address_list_mismatch = "address_list_mismatch";
constexpr std::string_view stalled = "stalled";
constexpr std::string_view switched = "switched";
constexpr std::string_view peer_heard = "peer_heard";
constexpr std::string_view peer_lost = "peer_lost";
constexpr std::string_view adopted = "adopted";
constexpr std::string_view inferior_active = "inferior_active";
constexpr std::string_view advertisement_discarded = "advertisement_discarded";

}  // namespace vipd::vrrp::events
