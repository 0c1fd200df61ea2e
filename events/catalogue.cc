#include "events/catalogue.h"

#include <algorithm>
#include <array>

#include "events/names.h"
#include "vrrp/events.h"

namespace vipd::events {

namespace {
constexpr auto p0 = Severity::p0;
constexpr auto p1 = Severity::p1;
constexpr auto p2 = Severity::p2;
namespace engine = vrrp::events;

constexpr std::array kinds{
    // nobody serves, or two
    Kind{engine::address_failed, p0, p0, "the kernel has refused a virtual address"},
    Kind{engine::address_conflict, p0, p0, "another station answers for a virtual address"},
    Kind{engine::one_way, p0, p0, "another Active does not hear this node"},
    Kind{engine::inferior_active, p0, p0, "another node is Active too, with a lower priority"},
    Kind{engine::owner_conflict, p0, p0, "two nodes claim to own the addresses"},
    Kind{given_up, p0, p0, "no router came back: the addresses were given up"},
    // redundancy or a safeguard is missing
    Kind{engine::state_changed, p1, p2, "a virtual router has changed its state; P1 is for Initialize"},
    Kind{engine::obstructed, p1, p1, "a virtual router cannot take part"},
    Kind{engine::peer_lost, p1, p1, "the Active that this node has listened to is silent"},
    Kind{engine::stalled, p1, p1, "this node stood still for too long"},
    Kind{engine::address_restored, p1, p1, "somebody has removed a virtual address; it is put back"},
    Kind{engine::leftover_removed, p1, p1, "a virtual address was there although this node is not Active"},
    Kind{engine::address_list_mismatch, p1, p1, "a peer has other virtual addresses"},
    Kind{engine::false_claim, p1, p1, "somebody claimed to be Active and was not heard again"},
    Kind{engine::sender_identified, p1, p1, "where false claims come from"},
    Kind{check_changed, p1, p2, "a check is down, or up again"},
    Kind{lease_changed, p1, p2, "a virtual router has no lease any more, or has one"},
    Kind{killed, p1, p1, "the vipd before this one was not stopped but killed"},
    Kind{program_restarted, p1, p1, "a program has ended and is started again"},
    Kind{held, p1, p1, "the guardian advertises in the router's place"},
    Kind{reload_refused, p1, p1, "the configuration file has errors: the next start would fail"},
    Kind{reload_undone, p1, p1, "a reload was not confirmed and has gone back"},
    Kind{flooded, p1, p1, "more advertisements come in than can be"},
    Kind{events_lost, p1, p1, "so many events came that some were dropped"},
    Kind{journal_failed, p1, p1, "events are not kept on disk"},
    Kind{hook_failed, p1, p1, "a hook has failed"},
    Kind{hook_dropped, p1, p1, "events are lost for a hook that is too slow"},
    // for information
    Kind{started, p2, p2, "vipd has started"},
    Kind{stopping, p2, p2, "vipd hands over and ends"},
    Kind{engine::peer_heard, p2, p2, "another router of the group is heard"},
    Kind{engine::priority_changed, p2, p2, "the effective priority has changed"},
    Kind{engine::equal_priority, p2, p2, "a peer has the same priority"},
    Kind{engine::interval_mismatch, p2, p2, "a peer advertises at another interval"},
    Kind{engine::interval_bounded, p2, p2, "a peer's interval is too long to be believed at once"},
    Kind{engine::switched, p2, p2, "handed over, or taken back, by command"},
    Kind{engine::adopted, p2, p2, "a new router goes on where the one before stopped"},
    Kind{engine::advertisement_discarded, p2, p2, "a packet was no valid advertisement"},
    Kind{hold_ended, p2, p2, "the router advertises again itself"},
    Kind{reloaded, p2, p2, "another configuration is in force"},
    Kind{reload_confirmed, p2, p2, "a reload was confirmed"},
    Kind{upgraded, p2, p2, "another version has taken over"},
    Kind{upgrade_refused, p2, p2, "another version could not take over"},
    Kind{command, p2, p2, "somebody has commanded"},
    Kind{command_refused, p2, p2, "somebody has commanded in vain"},
    Kind{hook_recovered, p2, p2, "a webhook or mail works again"},
    Kind{journal_resumed, p2, p2, "events are kept on disk again"},
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
