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

TEST_CASE("explain: an Active has its age, its reason, its interval and the priority that would take over") {
  Bench bench({config()});
  bench.wait(5s);
  CHECK(explained(bench) ==
        Lines{"edge, VRID 51 on eth0 (IPv4), has been Active for 1.78 s: no Active has been heard.",
              "No other router of this VRID has been heard.",
              "This node advertises every 1 s; a router with a priority above 200 would take over.",
              "Priority: base priority 200.", "Priority: effective priority 200."});
}

TEST_CASE("explain: a Backup names its Active and the time until it takes over") {
  auto checked = config();
  checked.checks = {{"web/nginx", -60, false}};
  Bench bench({checked});
  bench.check("web/nginx", false);
  bench.wait(1s);
  bench.hear({.priority = 150});
  bench.wait(500ms);
  CHECK(explained(bench) ==
        Lines{"edge, VRID 51 on eth0 (IPv4), has been Backup for 1.5 s: started.",
              "The last advertisement came from 192.0.2.2, 500 ms ago, with priority 150.",
              "This node takes over in 2.95 s unless it hears the Active.", "Priority: base priority 200.",
              "Priority: -60: check web/nginx is down: connection refused.",
              "Priority: effective priority 140."});
}

TEST_CASE("explain: Initialize names the obstacles") {
  auto interface = eth0();
  interface.running = false;
  Bench bench({config()}, interface);
  const auto lines = explained(bench);
  CHECK(lines[0] ==
        "edge, VRID 51 on eth0 (IPv4), has been in Initialize for 0 s: interface eth0 has no carrier.");
  CHECK(lines[2] == "This node takes part again once these obstacles are gone.");
}

TEST_CASE("explain: a switch by command is named, with the command that ends it") {
  Bench bench({config()});
  bench.wait(5s);
  bench.step(SwitchRequested{"edge"});
  bench.hear({.priority = 150});
  CHECK(explained(bench)[0] ==
        "edge, VRID 51 on eth0 (IPv4), has been Backup for 0 s: switched to the peer by command.");
  CHECK(explained(bench)[2] ==
        "This node takes over in 3.22 s unless it hears the Active. `vipctl switch` took it out: any peer "
        "may be "
        "Active until `vipctl switch --back edge`.");
}

TEST_CASE("explain: the effect of preempt_mode: false is named") {
  auto patient = config();
  patient.preempt_mode = false;
  Bench bench({patient});
  bench.hear({.priority = 150});
  CHECK(explained(bench)[2] ==
        "This node takes over in 3.22 s unless it hears the Active. preempt_mode is false: it does not take "
        "over "
        "from an Active of lower priority.");
}

TEST_CASE("a name that does not exist: the nearest one is proposed") {
  const Status status{.now = {}, .routers = {Bench({config()}).status()}, .discarded = {}, .checks = {}};
  CHECK(no_such_entry(status, "egde") ==
        "there is no entry \"egde\" under virtual_routers: did you mean \"edge\"?");
  CHECK(no_such_entry(status, "office") == "there is no entry \"office\" under virtual_routers");
}

TEST_CASE("explain: a peer that has left, and a router that is leaving") {
  Bench bench({config()});
  bench.hear({.priority = 0, .vrid = 51});
  bench.wait(100ms);
  CHECK(explained(bench)[1] == "192.0.2.2 announced 100 ms ago that it was leaving (priority 0).");
  bench.wait(200ms);
  CHECK(explained(bench)[0].find("192.0.2.2 has left (priority 0)") != std::string::npos);
  bench.step(Shutdown{});
  CHECK(explained(bench)[0] ==
        "edge, VRID 51 on eth0 (IPv4), has been in Initialize for 0 s: vipd is stopping.");
  CHECK(explained(bench)[2] == "This node keeps the addresses until it hears its successor.");
}
