// The answers to `vipctl switch`.
#include "programs/router/switch_reply.h"

#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::programs;
using namespace vipd::vrrp::test;

namespace {
SwitchReply ask(const Bench& bench, bool back, const std::string& name = c4().name) {
  Command command;
  command.router = name;
  command.back = back;
  return reply_to(command, bench.engine.status(bench.now));
}

Bench active(vrrp::VirtualRouterConfig config = c4()) {
  Bench bench({std::move(config)});
  bench.wait(bench.timer());
  REQUIRE(bench.state() == vrrp::StateName::active);
  return bench;
}
}  // namespace

TEST_CASE("switch: an Active hands over, and may be taken back afterwards, not before") {
  auto bench = active();
  CHECK_FALSE(ask(bench, true).input);
  const auto away = ask(bench, false);
  REQUIRE(away.input);
  bench.step(*away.input);
  CHECK(bench.state() == vrrp::StateName::backup);
  const auto back = ask(bench, true);
  REQUIRE(back.input);
  bench.step(*back.input);
  CHECK_FALSE(bench.status().yielded);
}

TEST_CASE("switch: a Backup cannot hand over, and the answer says where to run the command") {
  const auto reply = ask(Bench({c4()}), false);
  CHECK_FALSE(reply.input);
  CHECK(reply.text.find("Backup") != std::string::npos);
}

TEST_CASE("switch: an unknown entry is refused, and the nearest name proposed") {
  const auto reply = ask(active(), false, c4().name + "x");
  CHECK_FALSE(reply.input);
  CHECK(reply.text.find(c4().name) != std::string::npos);
}

TEST_CASE("switch: the address owner cannot hand over") {
  auto config = c4();
  config.priority = vrrp::owner_priority;
  const Bench bench({config}, eth0("192.0.2.100"));
  const auto reply = ask(bench, false);
  CHECK_FALSE(reply.input);
  CHECK(reply.text.find("255") != std::string::npos);
}
