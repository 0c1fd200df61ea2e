// A router program that stopped without notice: its successor continues from its snapshot.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
VirtualRouterConfig config(int priority = 200) {
  auto result = c4();
  result.priority = static_cast<Priority>(priority);
  result.checks = {{"web/nginx", -60, false}};
  return result;
}

Bench running(std::vector<VirtualRouterConfig> routers = {config()}) {
  Bench bench(std::move(routers));
  bench.check("web/nginx", true);
  return bench;
}

// A new program in the place of `before`, `later`.
struct Successor {
  Bench bench;
  Lines lines;
};
Successor successor(const Bench& before, Duration later,
                    std::vector<VirtualRouterConfig> routers = {config()}) {
  // Through bytes, as it travels.
  auto snapshot = from_bytes<Snapshot>(to_bytes(before.engine.snapshot())).value();
  Bench bench;
  bench.now = before.now + later;
  bench.interface(before.link);
  auto lines = bench.configure(std::move(routers), std::move(snapshot));
  return {std::move(bench), std::move(lines)};
}

std::size_t count(const Lines& lines, const std::string& line) {
  return static_cast<std::size_t>(std::count(lines.begin(), lines.end(), line));
}
}  // namespace

TEST_CASE(
    "adoption: an Active goes on as Active: no address is touched, the next advert is in time, and what "
    "others "
    "have announced meanwhile is announced over once, a moment later") {
  auto before = running();
  before.wait(10s);  // the rounds of announcements are over
  auto [after, lines] = successor(before, 20ms);
  CHECK(lines == Lines{"note adopted"});
  CHECK(after.state() == StateName::active);
  CHECK(after.now + after.timer() == before.now + before.timer());
  const auto next = after.wait(after.timer());
  CHECK(count(next, "advert 200") == 1);
  after.wait(1s);
  int announced = 0;
  for (const auto& [when, action] : after.log) {
    CHECK_FALSE(std::holds_alternative<Put>(action));
    CHECK_FALSE(std::holds_alternative<Drop>(action));
    if (std::holds_alternative<Announce>(action)) ++announced;
  }
  CHECK(announced == 1);
}

TEST_CASE("adoption: the lifetime of the addresses is renewed at the first tick") {
  auto before = running();
  before.wait(10s);
  auto [after, lines] = successor(before, 20ms);
  CHECK(*after.engine.next_deadline() <= after.now);
  CHECK(after.step(Tick{}) == Lines{"renew 192.0.2.100/24"});
}

TEST_CASE("adoption: an address that is gone meanwhile comes back") {
  auto before = running();
  before.wait(5s);
  before.link.addresses.pop_back();
  auto [after, lines] = successor(before, 20ms);
  CHECK(count(lines, "add 192.0.2.100/24") == 1);
}

TEST_CASE("adoption: health is remembered: an Active with a failed check says nothing new") {
  auto before = running();
  before.wait(5s);
  before.check("web/nginx", false);
  before.wait(500ms);
  REQUIRE(before.status().priority == 140);
  auto [after, lines] = successor(before, 20ms);
  CHECK(lines == Lines{"note adopted"});
  CHECK(after.status().priority == 140);
  CHECK(after.status().since == before.status().since);
  CHECK(after.status().reason == before.status().reason);
}

TEST_CASE("adoption: the checksum form, the counters and the peer are remembered") {
  auto before = running();
  for (int i = 0; i < 3; ++i) {
    before.wait(1s);
    before.hear({.priority = 50, .checksum = ChecksumForm::rfc9568});
  }
  auto [after, lines] = successor(before, 20ms);
  CHECK(after.status().checksum == ChecksumForm::rfc9568);
  CHECK(after.counters() == before.counters());
  CHECK(after.status().peer == before.status().peer);
}

TEST_CASE("adoption: a Backup listens anew, with the learnt interval, and knows whom it follows") {
  auto before = running();
  before.hear({.priority = 220, .interval = Centiseconds{50}});
  before.wait(1s);
  auto [after, lines] = successor(before, 5s);
  CHECK(lines == Lines{"note adopted"});
  CHECK(after.timer() == active_down_interval(200, 500ms));
  after.hear({.priority = 150, .interval = Centiseconds{50}});
  CHECK(after.timer() == skew_time(200, 500ms));
}

TEST_CASE("adoption: one that comes too late withdraws before it sends anything") {
  auto before = running();
  before.wait(5s);
  auto [after, lines] = successor(before, 4s);
  after.sent.clear();
  after.step(Tick{});
  CHECK(after.state() == StateName::backup);
  CHECK_FALSE(after.holds("192.0.2.100"));
  CHECK(after.sent.empty());
}

TEST_CASE("adoption: who held the state meanwhile moves the deadline: then it goes on however late") {
  auto before = running();
  before.wait(5s);
  auto snapshot = before.engine.snapshot();
  Bench after;
  after.now = before.now + 60s;
  after.interface(before.link);
  snapshot.routers[0].deadline = after.now + 300ms;
  after.configure({config()}, snapshot);
  after.wait(300ms);
  CHECK(after.state() == StateName::active);
}

TEST_CASE("adoption: a release goes on, and so does a switch") {
  auto before = running();
  before.wait(5s);
  before.step(SwitchRequested{"edge"});
  auto [after, lines] = successor(before, 20ms);
  CHECK(after.state() == StateName::backup);
  CHECK(after.status().yielded);
  CHECK(after.status().releasing);
  CHECK(after.holds("192.0.2.100"));
  CHECK(count(after.hear({.priority = 150}), "remove 192.0.2.100/24") == 1);
  after.wait(1s);
  after.hear({.priority = 150});
  CHECK(after.timer() == active_down_interval(200, 1s));
}

TEST_CASE("adoption: in Initialize there is nothing to go on with") {
  auto interface = eth0();
  interface.running = false;
  Bench before({config()}, interface);
  auto [after, lines] = successor(before, 1s);
  CHECK(lines.empty());
  CHECK(after.state() == StateName::initialize);
}

TEST_CASE("adoption: an interface that is gone meanwhile is Initialize") {
  auto before = running();
  before.wait(5s);
  before.link = Interface{.name = "eth0"};
  auto [after, lines] = successor(before, 20ms);
  CHECK(after.state() == StateName::initialize);
  CHECK(after.sent.empty());
}

TEST_CASE("adoption: a virtual router that the new configuration does not have is not adopted") {
  auto before = running();
  before.wait(5s);
  auto other = config();
  other.key.vrid = 77;
  auto [after, lines] = successor(before, 20ms, {other});
  CHECK(after.engine.status(after.now).routers.size() == 1);
  CHECK(after.state() == StateName::backup);
}

TEST_CASE("adoption: a check that is new to a running virtual router counts as up until it has a result") {
  auto before = running();
  before.wait(5s);
  auto more = config();
  more.checks.push_back({"web/disk", -100, false});
  auto [after, lines] = successor(before, 20ms, {more});
  CHECK(after.status().priority == 200);
}

TEST_CASE("the deadlines of all virtual routers can be read by their place in the snapshot") {
  auto six = c6();
  Bench bench({config(), six});
  bench.wait(100ms);
  const auto snapshot = bench.engine.snapshot();
  std::size_t seen = 0;
  bench.engine.for_each_deadline([&](std::size_t place, TimePoint deadline) {
    ++seen;
    CHECK(snapshot.routers[place].deadline == deadline);
  });
  CHECK(seen == 2);
}
