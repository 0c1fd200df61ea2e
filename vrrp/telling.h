// Telling: decides when to report something that every packet may show: once when it starts, and not again
// for a while, however often it comes and goes.
#pragma once

#include "base/time.h"

namespace vipd::vrrp {

constexpr Duration note_interval = std::chrono::seconds(10);  // between reports of the same kind

class Telling {
 public:
  bool due(bool present, TimePoint now);

 private:
  bool told_ = false;
  TimePoint not_before_ = TimePoint::min();
};

}  // namespace vipd::vrrp
