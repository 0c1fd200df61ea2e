#include "vrrp/defences.h"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::vrrp {

// A farewell does not make its sender known: its claim would be believed without a trial.
void Defences::heard(TimePoint now, const VirtualRouterConfig& config, const IpAddress& source,
                     const Advertisement& advertisement, bool active) {
  checksum_choice_.hear(now, advertisement.checksum, config.advertisement_interval, active);
  if (advertisement.priority != release_priority) senders_.hear(now, source, advertisement.interval);
}

void Defences::state_entered() {
  on_trial_ = false;
  first_lease_ = false;
}

Duration Defences::interval_of(const IpAddress& source, const VirtualRouterConfig& config) const {
  return senders_.adopted_interval(source, config.adoption_bound());
}

Duration Defences::begin_trial(Duration theirs, const VirtualRouterConfig& config, Priority priority) {
  on_trial_ = true;
  const Duration ours = config.advertisement_interval;
  return std::min(theirs, ours) + ours / 2 + skew_time(priority, ours);
}

int Defences::fail_trial(const IpAddress& claimant) {
  on_trial_ = false;
  return senders_.doubt(claimant);
}

Duration Defences::lease(Duration advertisement_interval) const {
  return first_lease_ ? first_lease_duration(advertisement_interval) : lease_duration(advertisement_interval);
}

std::string Defences::name_of(const IpAddress& sender) const {
  const auto mac = senders_.mac_of(sender);
  return mac == MacAddress{} ? to_string(sender)
                             : fmt::format("{} (MAC address {})", to_string(sender), to_string(mac));
}

void Defences::adopt(TimePoint now, const VirtualRouterConfig& config, const RouterSnapshot& snapshot) {
  checksum_choice_.adopt(snapshot.checksum_heard);
  if (!snapshot.peer) return;
  // An interval that the predecessor did not accept yet is not accepted because of the adoption.
  const auto believed = std::max<Duration>(config.adoption_bound(), snapshot.active_adver_interval);
  senders_.remember(now, snapshot.peer->address, std::min<Duration>(snapshot.peer->interval, believed));
}

}  // namespace vipd::vrrp
