// Rival: another Active with a lower priority, which should step down. If it hears us it does so within one
// exchange; otherwise it cannot hear us at all.
#pragma once

#include <optional>

#include "base/ip.h"
#include "base/time.h"

namespace vipd::vrrp {

class Rival {
 public:
  // The rival has advertised. `silence`: after this time without an advertisement it is gone.
  void heard(TimePoint now, const IpAddress& source, Duration silence);

  // The rival that has advertised continuously for four of our intervals, and not just once or twice. Some of
  // our advertisements may be lost, but hardly all: it does not hear us.
  std::optional<IpAddress> deaf(TimePoint now, Duration interval, Duration silence) const;

 private:
  IpAddress address_;
  TimePoint first_{};  // first advertisement without a longer silence since
  TimePoint last_{};
  int times_ = 0;
};

}  // namespace vipd::vrrp
