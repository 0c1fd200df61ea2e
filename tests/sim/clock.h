// Clock: what a host believes the time to be. True time (a Moment) is the simulation's own; clocks of hosts
// begin anywhere and go a little faster or slower. They have two types, so that they cannot be mixed up.
#pragma once

#include "base/time.h"

namespace vipd::sim {

struct True {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<True>;
  static constexpr bool is_steady = true;
};
using Moment = True::time_point;

// Far enough away, and near enough to be calculated with.
constexpr Moment not_ever = Moment(Duration::max() / 4);
constexpr Moment long_ago = Moment(Duration::min() / 4);

class Clock {
 public:
  Clock() = default;
  Clock(TimePoint start, int parts_per_million) : shown_(start), ppm_(parts_per_million) {}

  TimePoint read(Moment now) const {
    const auto passed = (now - since_).count();
    return shown_ + Duration(passed + passed * ppm_ / 1'000'000);
  }
  // The first moment at which the clock shows `time`.
  Moment when(TimePoint time) const {
    if (time == never) return not_ever;
    if (time <= shown_) return since_;  // long due
    auto moment = since_ + Duration((time - shown_).count() * 1'000'000 / (1'000'000 + ppm_));
    while (read(moment) < time) moment += Duration(1);
    return moment;
  }
  // Stood still from `from` to `to`: a virtual machine that does not see the time during which its host paused it.
  void lose(Moment from, Moment to) {
    shown_ = read(from);
    since_ = to;
  }

 private:
  Moment since_{};
  TimePoint shown_{};
  std::int64_t ppm_ = 0;
};

}  // namespace vipd::sim
