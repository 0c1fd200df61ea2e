// Histogram: counts durations by size. All histograms have the same bounds, from a tenth of a millisecond to
// ten seconds, so that they can be compared and added.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/archive.h"
#include "base/time.h"

namespace vipd {

struct Histogram {
  // Upper bounds, inclusive; longer durations are counted after the last one.
  static constexpr std::array<Duration, 16> bounds = {
      std::chrono::microseconds(100), std::chrono::microseconds(250),  std::chrono::microseconds(500),
      std::chrono::milliseconds(1),   std::chrono::microseconds(2500), std::chrono::milliseconds(5),
      std::chrono::milliseconds(10),  std::chrono::milliseconds(25),   std::chrono::milliseconds(50),
      std::chrono::milliseconds(100), std::chrono::milliseconds(250),  std::chrono::milliseconds(500),
      std::chrono::seconds(1),        std::chrono::milliseconds(2500), std::chrono::seconds(5),
      std::chrono::seconds(10)};

  std::array<std::uint64_t, bounds.size() + 1> counts{};
  Duration sum{};

  void add(Duration value) {
    std::size_t index = 0;
    while (index < bounds.size() && value > bounds[index]) ++index;
    ++counts[index];
    sum += value;
  }

  bool operator==(const Histogram&) const = default;
};

template <class A>
constexpr void fields(A& a, Is<Histogram> auto& h) {
  a("counts", h.counts)("sum", h.sum);
}

}  // namespace vipd
