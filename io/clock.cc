#include "io/clock.h"

#include <ctime>

namespace vipd::io {

namespace {
Duration read_clock(clockid_t clock) {
  timespec time{};
  clock_gettime(clock, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}
}  // namespace

TimePoint now() {
  return TimePoint(read_clock(CLOCK_MONOTONIC));
}

Duration boottime() {
  return read_clock(CLOCK_BOOTTIME);
}

}  // namespace vipd::io
