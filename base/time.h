// Time: one clock, nanoseconds inside, a unit in every type.
//
// Rules never read a clock: they are given a TimePoint (io/clock.h reads CLOCK_MONOTONIC for the programs,
// tests make theirs up). Centiseconds appear on the wire and in the parameters of RFC 9568 only.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vipd {

using Duration = std::chrono::nanoseconds;
using Centiseconds = std::chrono::duration<std::int64_t, std::centi>;

// The tag of our time points. CLOCK_MONOTONIC in the programs, virtual time in tests.
struct Monotonic {
  using duration = Duration;
  using rep = duration::rep;
  using period = duration::period;
  using time_point = std::chrono::time_point<Monotonic>;
  static constexpr bool is_steady = true;
};
using TimePoint = Monotonic::time_point;

constexpr TimePoint never = TimePoint::max();

// "500ms", "1s", "1.5s", "2m", "250us": the largest unit that says it exactly enough; parse_duration reads it
// back.
std::string to_string(Duration duration);

// For sentences: "2 d 3 h", "1 min 5 s", "12 s", "3.61 s", "350 ms". At most two units; parse_duration does
// not read it. A negative duration is "0 s".
std::string in_words(Duration duration);

// "3s", "500ms", "10us", "2m", "1h", "180d", "1.5s". A number without a unit is an error that names the
// units.
Result<Duration> parse_duration(std::string_view text);

}  // namespace vipd
