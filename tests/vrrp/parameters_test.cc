// The formulas of RFC 9568 section 6.1, at their edges and to the nanosecond.
#include "vrrp/parameters.h"

#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

TEST_CASE("6.1 Skew_Time and Active_Down_Interval at one second, to the nanosecond") {
  const Duration second = Centiseconds{100};
  CHECK(skew_time(1, second) == 996'093'750ns);
  CHECK(skew_time(100, second) == 609'375us);
  CHECK(skew_time(200, second) == 218'750us);
  CHECK(skew_time(253, second) == 11'718'750ns);
  CHECK(skew_time(254, second) == 7'812'500ns);
  CHECK(skew_time(255, second) == 3'906'250ns);
  CHECK(active_down_interval(100, second) == 3'609'375us);
  CHECK(active_down_interval(200, second) == 3'218'750us);
  CHECK(active_down_interval(254, second) == 3'007'812'500ns);
}

TEST_CASE("6.1 Skew_Time does not round to zero at 10 ms, nor overflow at 40.95 s") {
  CHECK(skew_time(254, Centiseconds{1}) == 78'125ns);
  CHECK(skew_time(100, Centiseconds{10}) == 60'937'500ns);
  CHECK(active_down_interval(100, Centiseconds{10}) == 360'937'500ns);
  CHECK(skew_time(100, Centiseconds{4095}) == 24'953'906'250ns);
  CHECK(active_down_interval(100, Centiseconds{4095}) == 3 * 40'950ms + 24'953'906'250ns);
  CHECK(active_down_interval(1, Centiseconds{4095}) == 3 * 40'950ms + 255 * Duration(40'950ms) / 256);
}

TEST_CASE("8.3.2 a higher priority always has the shorter Skew_Time, at every interval") {
  for (int interval = 1; interval <= 4095; ++interval)
    for (int priority = 1; priority < 255; ++priority) {
      const Duration length = Centiseconds{interval};
      if (!(skew_time(static_cast<Priority>(priority + 1), length) <
            skew_time(static_cast<Priority>(priority), length)) ||
          !(skew_time(static_cast<Priority>(priority), length) < length))
        FAIL("priority ", priority, " interval ", interval);
    }
}

TEST_CASE("6.1 what is not said has the RFC's default") {
  const VirtualRouterConfig config;
  CHECK(config.priority == 100);
  CHECK(config.advertisement_interval == Centiseconds{100});
  CHECK(config.preempt_mode);
  CHECK_FALSE(config.owner());
}

TEST_CASE("a virtual router is named by VRID, interface and family") {
  CHECK(to_string(c4().key) == "VRID 51 on eth0 (IPv4)");
  CHECK(to_string(c6().key) == "VRID 51 on eth0 (IPv6)");
}
