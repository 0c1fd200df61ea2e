#include "vrrp/rival.h"

namespace vipd::vrrp {

void Rival::heard(TimePoint now, const IpAddress& source, Duration silence) {
  if (times_ == 0 || address_ != source || now - last_ > silence) {
    address_ = source;
    first_ = now;
    times_ = 0;
  }
  last_ = now;
  ++times_;
}

std::optional<IpAddress> Rival::deaf(TimePoint now, Duration interval, Duration silence) const {
  const bool goes_on = times_ > 4 && last_ - first_ >= 4 * interval;
  if (!goes_on || now - last_ > silence) return std::nullopt;
  return address_;
}

}  // namespace vipd::vrrp
