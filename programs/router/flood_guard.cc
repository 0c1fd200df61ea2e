#include "programs/router/flood_guard.h"

#include <algorithm>

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;

constexpr double flood_rate = 1000;  // datagrams a second of a socket
constexpr double flood_rate_per_vrid = 200;
constexpr double flood_burst = 300;
constexpr Duration shortest_shield = 2s;
constexpr Duration longest_shield = 64s;
constexpr Duration shield_renewal = 100ms;
}  // namespace

bool FloodGuard::arrived(TimePoint now, std::size_t datagrams, std::size_t virtual_routers) {
  const auto rate = flood_rate + flood_rate_per_vrid * static_cast<double>(virtual_routers);
  const auto earned = rate * std::chrono::duration<double>(now - allowance_at_).count();
  allowance_ = std::min(allowance_ + earned, flood_burst + rate / 10) - static_cast<double>(datagrams);
  allowance_at_ = now;
  if (allowance_ >= 0) return false;
  allowance_ = 0;
  if (shielded()) return false;
  // A continuing flood is let in only for moments, less and less often.
  const bool goes_on = unshielded_at_ != TimePoint::min() && now - unshielded_at_ < shortest_shield;
  shield_time_ = goes_on ? std::min(2 * shield_time_, longest_shield) : shortest_shield;
  shielded_until_ = now + shield_time_;
  return true;
}

void FloodGuard::shield_is_set(TimePoint now) {
  renewal_ = shielded() ? now + shield_renewal : never;
}

bool FloodGuard::due(TimePoint now) {
  if (shielded_until_ > now) return renewal_ <= now;
  shielded_until_ = never;
  unshielded_at_ = now;
  return true;
}

TimePoint FloodGuard::deadline() const {
  return std::min(shielded_until_, renewal_);
}

}  // namespace vipd::programs
