// Rival: another Active of lower priority, which should not go on. It hears us within one exchange, or does
// not hear us at all.
#pragma once

#include <optional>

#include "base/ip.h"
#include "base/time.h"

namespace vipd::vrrp {

class Rival {
 public:
  // An advertisement of it. `silence`: after this time without a word it is gone.
  void heard(TimePoint now, const IpAddress& source, Duration silence);

  // The one that has gone on for four of our intervals, and not once or twice but all the time: some of ours
  // may be lost, but hardly all.
  std::optional<IpAddress> deaf(TimePoint now, Duration interval, Duration silence) const;

 private:
  IpAddress address_;
  TimePoint first_{};  // heard, without a longer silence since then
  TimePoint last_{};
  int times_ = 0;
};

}  // namespace vipd::vrrp
