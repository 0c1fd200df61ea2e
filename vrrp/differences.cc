#include "vrrp/differences.h"

#include <fmt/format.h>

#include <algorithm>

#include "vrrp/event_names.h"

namespace vipd::vrrp {

namespace {
// In any order; but if our list begins with a link-local address, so must theirs (section 5.2.9, erratum
// 8300).
bool has_our_addresses(const VirtualRouterConfig& config, const Advertisement& advertisement) {
  const auto& ours = config.addresses;
  const auto& theirs = advertisement.addresses;
  if (ours.size() != theirs.size()) return false;
  const auto same = [](const Prefix& our, const IpAddress& their) { return our.address == their; };
  if (std::equal(ours.begin(), ours.end(), theirs.begin(), same)) return true;
  if (config.key.family == Family::ipv6 && ours.front().address.is_link_local() &&
      !theirs.front().is_link_local())
    return false;
  std::vector<IpAddress> sorted_ours;
  for (const auto& prefix : ours) sorted_ours.push_back(prefix.address);
  auto sorted_theirs = theirs;
  std::sort(sorted_ours.begin(), sorted_ours.end());
  std::sort(sorted_theirs.begin(), sorted_theirs.end());
  return sorted_ours == sorted_theirs;
}
}  // namespace

void Differences::look_at(const Turn& turn, const Ours& ours, const IpAddress& source,
                          const Advertisement& advertisement, Counters& counters) {
  const auto& config = ours.config;
  const auto note = [&](std::string_view event, std::string text) {
    turn.act(Noted{config.key, config.name, std::string(event), std::move(text)});
  };
  // Formatted only for an event: this function sees every packet.
  const auto who = [&] { return to_string(source); };
  const auto theirs = [&] { return vipd::to_string(Duration(advertisement.interval)); };

  const bool other_interval = advertisement.interval != config.advertisement_interval;
  if (other_interval) ++counters.interval_mismatches;
  if (interval_.due(other_interval, turn.now))
    note(
        events::interval_mismatch,
        fmt::format("{} advertises every {}, this node every {}: set the same advertisement_interval on both",
                    who(), theirs(), vipd::to_string(Duration(config.advertisement_interval))));

  // Matters for the Active of a Backup, whose silence is timed by its interval.
  const auto bound = config.adoption_bound();
  const bool bounded = advertisement.interval > bound && ours.adopted != advertisement.interval;
  if (interval_bounded_.due(bounded, turn.now))
    note(events::interval_bounded,
         fmt::format(
             "{} advertises every {}, more than max_adopted_interval ({}): until it has done so for a while, "
             "this node times its silence by {}. If the interval is right, set max_adopted_interval: {}",
             who(), theirs(), vipd::to_string(bound), vipd::to_string(bound), theirs()));

  const bool other_addresses = !has_our_addresses(config, advertisement);
  if (other_addresses) ++counters.address_list_mismatches;
  if (address_list_.due(other_addresses, turn.now)) {
    std::vector<std::string> list;
    for (const auto& address : advertisement.addresses) list.push_back(to_string(address));
    note(events::address_list_mismatch,
         fmt::format("{} advertises other addresses than this node: {}", who(), fmt::join(list, ", ")));
  }

  const bool same_priority = ours.priority != 0 && advertisement.priority == ours.priority;
  if (same_priority_.due(same_priority, turn.now))
    note(
        config.owner() ? events::owner_conflict : events::equal_priority,
        config.owner()
            ? fmt::format("{} claims to be the address owner too (priority 255): only one node may be", who())
            : fmt::format("{} has the same priority {}: the higher address decides", who(),
                          advertisement.priority));
}

}  // namespace vipd::vrrp
