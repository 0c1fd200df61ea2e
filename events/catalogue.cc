#include "events/catalogue.h"

#include <algorithm>
#include <array>

#include "events/names.h"
#include "vrrp/event_names.h"

namespace vipd::events {

namespace {
constexpr auto p0 = Severity::p0;
constexpr auto p1 = Severity::p1;
constexpr auto p2 = Severity::p2;
namespace engine = vrrp::events;

constexpr std::array kinds{
    // no node serves, or two nodes do
    Kind{engine::address_failed, p0, p0, "the kernel refused to add a virtual address"},
    Kind{engine::address_conflict, p0, p0, "another station answers for a virtual address"},
    Kind{engine::one_way, p0, p0, "another node stays Active because it does not hear this one"},
    Kind{engine::inferior_active, p0, p0, "another node of lower priority is Active as well"},
    Kind{engine::owner_conflict, p0, p0, "two nodes claim to own the addresses"},
    Kind{given_up, p0, p0, "the router could not be replaced: the addresses were given up"},
    // redundancy or a safeguard is lost
    Kind{engine::state_changed, p1, p2, "a virtual router changed state; P1 if it is now in Initialize"},
    Kind{engine::obstructed, p1, p1, "an obstacle keeps a virtual router in Initialize"},
    Kind{engine::peer_lost, p1, p1, "the Active that this node followed fell silent"},
    Kind{engine::stalled, p1, p1, "this node stood still for too long and withdrew its addresses"},
    Kind{engine::address_restored, p1, p1, "another program removed a virtual address; it was restored"},
    Kind{engine::leftover_removed, p1, p1,
         "a virtual address was present on a node that is not Active; it was removed"},
    Kind{engine::address_list_mismatch, p1, p1, "a peer advertises different virtual addresses"},
    Kind{engine::false_claim, p1, p1, "an unknown sender claimed to be Active and was not heard again"},
    Kind{engine::sender_identified, p1, p1, "the MAC address that false claims come from"},
    Kind{check_changed, p1, p2, "a check went down, or came up again"},
    Kind{lease_changed, p1, p2, "a virtual router lost its lease, or has one again"},
    Kind{killed, p1, p1, "the previous vipd was killed, not stopped"},
    Kind{program_restarted, p1, p1, "a program exited unexpectedly and is being restarted"},
    Kind{held, p1, p1, "the guardian advertises in place of vipd-router"},
    Kind{reload_refused, p1, p1, "the configuration file has errors: the next start would fail"},
    Kind{reload_undone, p1, p1, "a reload was not confirmed and was rolled back"},
    Kind{flooded, p1, p1, "more advertisements arrive than the virtual routers here can account for"},
    Kind{events_lost, p1, p1, "too many events at once: some are not in the journal"},
    Kind{journal_failed, p1, p1, "events cannot be written to disk"},
    Kind{hook_failed, p1, p1, "a hook failed"},
    Kind{hook_dropped, p1, p1, "events were dropped because a hook is too slow"},
    // for information
    Kind{started, p2, p2, "vipd started"},
    Kind{stopping, p2, p2, "vipd is handing over and stopping"},
    Kind{engine::peer_heard, p2, p2, "another router of the group was heard"},
    Kind{engine::priority_changed, p2, p2, "the effective priority changed"},
    Kind{engine::equal_priority, p2, p2, "a peer has the same priority"},
    Kind{engine::interval_mismatch, p2, p2, "a peer advertises at a different interval"},
    Kind{engine::interval_bounded, p2, p2, "a peer advertises an interval longer than max_adopted_interval"},
    Kind{engine::switched, p2, p2, "a command handed the addresses over, or ended that"},
    Kind{engine::adopted, p2, p2, "a new vipd-router adopted the state of the previous one"},
    Kind{engine::advertisement_discarded, p2, p2, "a packet was not a valid advertisement"},
    Kind{hold_ended, p2, p2, "vipd-router advertises itself again"},
    Kind{reloaded, p2, p2, "a new configuration is in force"},
    Kind{reload_confirmed, p2, p2, "a reload was confirmed"},
    Kind{upgraded, p2, p2, "another version took over from the running one"},
    Kind{upgrade_refused, p2, p2, "another version could not take over"},
    Kind{command, p2, p2, "a command was accepted"},
    Kind{command_refused, p2, p2, "a command was refused"},
    Kind{hook_recovered, p2, p2, "a webhook or mail delivery works again"},
    Kind{journal_resumed, p2, p2, "events are written to disk again"},
};

constexpr std::array<std::string_view, 3> severity_names{"P0", "P1", "P2"};
}  // namespace

std::string_view to_string(Severity severity) {
  return severity_names.at(static_cast<std::size_t>(severity));
}

std::optional<Severity> parse_severity(std::string_view text) {
  if (text.size() != 2 || (text[0] != 'P' && text[0] != 'p') || text[1] < '0' || text[1] > '2')
    return std::nullopt;
  return static_cast<Severity>(text[1] - '0');
}

std::span<const Kind> catalogue() {
  return kinds;
}

const Kind* find_kind(std::string_view name) {
  const auto* const found =
      std::find_if(kinds.begin(), kinds.end(), [&](const Kind& each) { return each.name == name; });
  return found == kinds.end() ? nullptr : found;
}

bool is_about_hooks(std::string_view name) {
  return name == hook_failed || name == hook_dropped || name == hook_recovered;
}

}  // namespace vipd::events
