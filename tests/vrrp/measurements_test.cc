// What is measured of a virtual router, as its metrics tell it.
#include <doctest/doctest.h>

#include <numeric>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {

std::uint64_t count(const Histogram& histogram) {
  return std::accumulate(histogram.counts.begin(), histogram.counts.end(), std::uint64_t{0});
}

Measurements measured(const Bench& bench) {
  return bench.engine.measurements().begin()->second;
}

std::uint64_t became(const Bench& bench, Reason reason) {
  return measured(bench).became_active[static_cast<std::size_t>(reason)];
}

VirtualRouterConfig quiet() {
  auto config = c4();
  config.announce = {1, 0s};
  config.dead_man = 0s;
  return config;
}

}  // namespace

TEST_CASE("why this node became Active is counted by kind, and how long that took is measured") {
  Bench bench({quiet()});
  bench.wait(5s);
  CHECK(became(bench, Reason::no_active) == 1);
  bench.hear({.priority = 200});
  bench.wait(1s);
  bench.hear({.priority = 200});
  bench.wait(6s);
  CHECK(became(bench, Reason::silence) == 1);
  CHECK(measured(bench).failover.sum > 3s);
  bench.hear({.priority = 200});
  bench.hear({.priority = 0});
  bench.wait(2s);
  CHECK(became(bench, Reason::farewell) == 1);
  CHECK(measured(bench).handover.sum < 1s);
  CHECK(count(measured(bench).handover) == 1);
}

TEST_CASE("advertisements that are sent late, and heard early or late, are measured") {
  Bench bench({quiet()});
  bench.wait(5s);
  const auto before = measured(bench).lateness;
  bench.wake_after(bench.timer() + 300ms);
  CHECK(measured(bench).lateness.sum - before.sum == 300ms);
  bench.hear({.priority = 200});
  bench.wait(1s);
  bench.hear({.priority = 200});
  bench.wait(900ms);
  bench.hear({.priority = 200});
  CHECK(count(measured(bench).jitter) == 2);
  CHECK(measured(bench).jitter.sum == 100ms);
}
