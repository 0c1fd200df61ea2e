// The sentences of `vipctl explain`, whole.
#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
Lines explained(const Bench& bench) {
  return explain(bench.status(), bench.now);
}
VirtualRouterConfig config() {
  auto result = c4();
  result.priority = 200;
  return result;
}
}  // namespace

TEST_CASE("explain: an Active says since when, why, how often it advertises and who would take over") {
  Bench bench({config()});
  bench.wait(5s);
  CHECK(explained(bench) ==
        Lines{"edge (VRID 51 on eth0 (IPv4)) is Active since 1.781 s: no Active has been heard.",
              "No other router of this VRID has been heard.",
              "It advertises every 1s; a router with a priority above 200 would take over.",
              "Priority: base priority 200.", "Priority: effective priority 200."});
}

TEST_CASE("explain: a Backup says whom it follows and when it would take over") {
  auto checked = config();
  checked.checks = {{"web/nginx", -60, false}};
  Bench bench({checked});
  bench.check("web/nginx", false);
  bench.wait(1s);
  bench.hear({.priority = 150});
  bench.wait(500ms);
  CHECK(explained(bench) == Lines{"edge (VRID 51 on eth0 (IPv4)) is Backup since 1.500 s: started.",
                                  "192.0.2.2 was heard 0.500 s ago as Active with priority 150.",
                                  "It takes over if nothing authoritative is heard for 2953.1 ms more.",
                                  "Priority: base priority 200.",
                                  "Priority: -60: check web/nginx is down: connection refused.",
                                  "Priority: effective priority 140."});
}

TEST_CASE("explain: Initialize names what is in the way") {
  auto interface = eth0();
  interface.running = false;
  Bench bench({config()}, interface);
  const auto lines = explained(bench);
  CHECK(lines[0] ==
        "edge (VRID 51 on eth0 (IPv4)) is Initialize since 0.000 s: interface eth0 has no carrier.");
  CHECK(lines[2] == "It takes part again as soon as nothing of this is left.");
}

TEST_CASE("explain: who gave way by command says so, and what ends it") {
  Bench bench({config()});
  bench.wait(5s);
  bench.step(SwitchRequested{"edge"});
  bench.hear({.priority = 150});
  CHECK(explained(bench)[0] ==
        "edge (VRID 51 on eth0 (IPv4)) is Backup since 0.000 s: switched to the peer by command.");
  CHECK(explained(bench)[2] ==
        "It takes over if nothing authoritative is heard for 3218.8 ms more. It gave way by command: it lets "
        "any "
        "healthy peer be Active until `vipctl switch --back`.");
}

TEST_CASE("explain: preempt_mode false says what it does") {
  auto patient = config();
  patient.preempt_mode = false;
  Bench bench({patient});
  bench.hear({.priority = 150});
  CHECK(explained(bench)[2] ==
        "It takes over if nothing authoritative is heard for 3218.8 ms more. preempt_mode is false: a lower "
        "priority "
        "alone does not make it take over.");
}

TEST_CASE("explain: a peer that has left, and a router that is leaving") {
  Bench bench({config()});
  bench.hear({.priority = 0, .vrid = 51});
  bench.wait(100ms);
  CHECK(explained(bench)[1] == "192.0.2.2 said 0.100 s ago that it leaves (priority 0).");
  bench.wait(200ms);
  CHECK(explained(bench)[0].find("192.0.2.2 has left (priority 0)") != std::string::npos);
  bench.step(Shutdown{});
  CHECK(explained(bench)[0] ==
        "edge (VRID 51 on eth0 (IPv4)) is Initialize since 0.000 s: vipd is stopping.");
  CHECK(explained(bench)[2] == "The addresses stay until the successor is heard.");
}
