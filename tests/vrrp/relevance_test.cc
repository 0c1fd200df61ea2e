#include "vrrp/relevance.h"

#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
Relevance here(const Bench& bench, Family family = Family::ipv4) {
  return relevance(bench.engine.status(bench.now), c4().key.interface, family);
}
}  // namespace

TEST_CASE("relevance: a Backup is moved by its own priority at least, and by all that its Active says") {
  Bench bench({c4()});
  CHECK(here(bench).least_priority == 100);
  CHECK(here(bench).followed.empty());
  bench.hear({.priority = 200, .source = "192.0.2.2"});
  CHECK(here(bench).least_priority == 100);
  CHECK(here(bench).followed == std::set{IpAddress::parse("192.0.2.2").value()});
  // Another Active, which no virtual router here follows.
  bench.hear({.priority = 50, .source = "192.0.2.66"});
  CHECK(here(bench).followed == std::set{IpAddress::parse("192.0.2.2").value()});
}

TEST_CASE("relevance: who does not preempt, or has yielded, is moved by any priority") {
  auto config = c4();
  config.preempt_mode = false;
  CHECK(here(Bench({config})).least_priority == 1);
  Bench bench({c4()});
  bench.wait(bench.timer());
  CHECK(here(bench).least_priority == 100);
  bench.step(SwitchRequested{c4().name});
  CHECK(here(bench).least_priority == 1);
}

TEST_CASE("relevance: other interfaces and families do not count") {
  Bench bench({c4()});
  CHECK(here(bench, Family::ipv6).least_priority == owner_priority);
  CHECK(relevance(bench.engine.status(bench.now), "other", Family::ipv4).least_priority == owner_priority);
}
