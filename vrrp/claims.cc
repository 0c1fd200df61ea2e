#include "vrrp/claims.h"

#include <algorithm>

namespace vipd::vrrp {

namespace {
using namespace std::chrono_literals;

constexpr Duration longest_grace = 10s;
constexpr Duration defend_interval = 10s;
}  // namespace

Duration Claims::grace(const VirtualRouterConfig& config) {
  return std::min<Duration>(3 * config.advertisement_interval, longest_grace);
}

void Claims::heard(TimePoint now, const VirtualRouterConfig& config, const IpAddress& address,
                   const MacAddress& mac, std::uint32_t times) {
  const auto before = heard_ ? heard_->times : last_ ? last_->times : 0;
  heard_ = AddressClaim{address, mac, now, before + times};
  waiting_.insert(address);
  if (due_ != never) return;
  due_ = now + grace(config);
  if (defended_ != TimePoint::min()) due_ = std::max(due_, defended_ + defend_interval);
}

std::set<IpAddress> Claims::take(TimePoint now, bool peer_speaks) {
  if (due_ > now) return {};
  due_ = never;
  auto claimed = std::exchange(waiting_, {});
  const auto heard = std::exchange(heard_, std::nullopt);
  if (peer_speaks) return {};
  last_ = heard;
  defended_ = now;
  return claimed;
}

}  // namespace vipd::vrrp
