// How much of the journal of events is kept.
#pragma once

#include <cstdint>

#include "base/time.h"

namespace vipd::events {

struct Limits {
  std::uint64_t size = std::uint64_t{64} << 20;  // bytes of all files together
  Duration age = std::chrono::hours(24 * 180);   // since the last event of a file
  bool operator==(const Limits&) const = default;
};

constexpr Limits least_limits{std::uint64_t{64} << 10, std::chrono::hours(1)};
constexpr Limits most_limits{std::uint64_t{64} << 30, std::chrono::hours(24 * 365)};

}  // namespace vipd::events
