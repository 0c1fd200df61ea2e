// ConfigReplaced: what is unchanged does not notice; of what has changed, only the difference.
#include <doctest/doctest.h>

#include <algorithm>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
VirtualRouterConfig router(Vrid vrid, std::vector<std::string> addresses, int priority = 200) {
  auto config = c4();
  config.name = "router" + std::to_string(vrid);
  config.key.vrid = vrid;
  config.priority = static_cast<Priority>(priority);
  config.announce = {1, 0s};
  config.addresses.clear();
  for (const auto& address : addresses) config.addresses.push_back(prefix(address));
  return config;
}

const auto one = router(1, {"192.0.2.101/24", "192.0.2.102/24"});
const auto two = router(2, {"192.0.2.103/24"});

Bench both_active() {
  Bench bench({one, two});
  bench.wait(5500ms);
  bench.log.clear();
  bench.sent.clear();
  return bench;
}

RouterStatus of(const Bench& bench, Vrid vrid) {
  for (const auto& each : bench.engine.status(bench.now).routers)
    if (each.config.key.vrid == vrid) return each;
  return {};
}
}  // namespace

TEST_CASE("reload: nothing changed, no action at all, and no timer moves") {
  auto bench = both_active();
  const auto before = bench.fingerprint();
  CHECK(bench.configure({one, two}).empty());
  CHECK(bench.configure({two, one}).empty());
  CHECK(bench.fingerprint() == before);
}

TEST_CASE("reload: one virtual router changes, the other emits nothing") {
  auto bench = both_active();
  auto changed = two;
  changed.priority = 150;
  CHECK(bench.configure({one, changed}) == Lines{"note priority_changed", "advert 150"});
  CHECK(bench.sent.size() == 1);
  CHECK(bench.sent[0].second.router.vrid == 2);
}

TEST_CASE("reload: of a changed list of addresses only the difference, told to the peers at once") {
  auto bench = both_active();
  auto changed = one;
  changed.addresses = {prefix("192.0.2.102/24"), prefix("192.0.2.104/24")};
  CHECK(bench.configure({changed, two}) == Lines{"remove 192.0.2.101/24", "add 192.0.2.104/24", "advert 200",
                                                 "announce 192.0.2.102", "announce 192.0.2.104"});
  CHECK(bench.holds("192.0.2.102"));
  CHECK(of(bench, 1).state == StateName::active);
}

TEST_CASE("reload: another order of the same addresses changes what is sent, and touches no address") {
  auto bench = both_active();
  auto changed = one;
  std::swap(changed.addresses[0], changed.addresses[1]);
  CHECK(bench.configure({changed, two}) == Lines{"advert 200"});
}

TEST_CASE("reload: a Backup with other addresses touches none") {
  Bench bench({one});
  auto changed = one;
  changed.addresses.push_back(prefix("192.0.2.109/24"));
  CHECK(bench.configure({changed}).empty());
}

TEST_CASE("reload: a changed advertisement_interval is advertised at once, and counts from then on") {
  auto bench = both_active();
  auto changed = one;
  changed.advertisement_interval = Centiseconds{10};
  CHECK(bench.configure({changed, two}) == Lines{"advert 200"});
  bench.wait(100ms);
  CHECK(of(bench, 1).deadline == bench.now + 100ms);
}

TEST_CASE("reload: an interval shortened from 40 s to 10 ms is no stall") {
  auto slow = router(1, {"192.0.2.101/24"}, 255);
  slow.advertisement_interval = longest_advertisement_interval;
  Bench bench({slow});
  bench.wait(20s);
  auto fast = slow;
  fast.advertisement_interval = Centiseconds{1};
  bench.configure({fast});
  bench.wait(50ms);
  CHECK(bench.state() == StateName::active);
}

TEST_CASE("reload: a removed virtual router hands over and is forgotten") {
  auto bench = both_active();
  CHECK(bench.configure({two}) == Lines{"advert 0", "Active -> Initialize"});
  CHECK(bench.holds("192.0.2.101"));
  CHECK(of(bench, 1).releasing);
  auto successor = message({.priority = 100, .addresses = {"192.0.2.101", "192.0.2.102"}, .vrid = 1});
  CHECK(bench.step(successor) == Lines{"remove 192.0.2.101/24", "remove 192.0.2.102/24"});
  CHECK(bench.engine.status(bench.now).routers.size() == 1);
  CHECK(bench.step(successor) == Lines{"discard vrid"});
}

TEST_CASE(
    "reload: a removed virtual router without a successor is forgotten after the release; nothing is left to "
    "do") {
  auto bench = both_active();
  bench.configure({});
  bench.wait(2400ms);
  CHECK(bench.engine.status(bench.now).routers.empty());
  CHECK_FALSE(bench.engine.next_deadline());
  CHECK(bench.link.addresses.size() == 2);
}

TEST_CASE("reload: a removed Backup is forgotten at once, without a word to the peers") {
  Bench bench({one});
  CHECK(bench.configure({}) == Lines{"Backup -> Initialize"});
  CHECK(bench.engine.status(bench.now).routers.empty());
  CHECK(bench.sent.empty());
}

TEST_CASE("reload: a virtual router that comes back while it is handing over goes on serving") {
  auto bench = both_active();
  bench.configure({two});
  bench.wait(300ms);
  bench.configure({one, two});
  CHECK(of(bench, 1).state == StateName::backup);
  bench.wait(4s);
  CHECK(of(bench, 1).state == StateName::active);
  CHECK(bench.holds("192.0.2.101"));
  for (const auto& [when, action] : bench.log) CHECK_FALSE(std::holds_alternative<Drop>(action));
}

TEST_CASE("reload: an interface that fails while a removed virtual router hands over ends it") {
  auto bench = both_active();
  bench.configure({});
  auto interface = bench.link;
  interface.running = false;
  bench.interface(interface);
  CHECK(bench.engine.status(bench.now).routers.empty());
}

TEST_CASE("reload: a new virtual router starts as Backup while the others go on") {
  auto bench = both_active();
  CHECK(bench.configure({one, two, router(3, {"192.0.2.110/24"})}) == Lines{"Initialize -> Backup"});
}

TEST_CASE(
    "reload: another VRID for the same addresses: they stay until the new virtual router or a peer has "
    "them") {
  auto bench = both_active();
  auto moved = router(9, {"192.0.2.101/24", "192.0.2.102/24"}, 255);
  const auto lines = bench.configure({moved, two});
  CHECK(std::count(lines.begin(), lines.end(), "remove 192.0.2.101/24") == 0);
  bench.wait(5s);
  CHECK(bench.holds("192.0.2.101"));
  CHECK(of(bench, 9).state == StateName::active);
  for (const auto& [when, action] : bench.log)
    if (const auto* noted = std::get_if<Noted>(&action)) CHECK(noted->event != "address_restored");
}

TEST_CASE("reload: a check added to a running virtual router counts as up until it has a result") {
  auto bench = both_active();
  auto checked = one;
  checked.checks = {{"web/nginx", -60, false}, {"web/vital", 0, true}};
  CHECK(bench.configure({checked, two}).empty());
  CHECK(of(bench, 1).priority == 200);
  bench.check("web/nginx", false);
  CHECK(of(bench, 1).priority == 140);
}

TEST_CASE("reload: a check that is removed takes nothing any more, and its fact is forgotten") {
  auto checked = one;
  checked.checks = {{"web/nginx", -60, false}};
  Bench bench({checked});
  bench.check("web/nginx", false);
  CHECK(of(bench, 1).priority == 140);
  bench.configure({one});
  CHECK(of(bench, 1).priority == 200);
  CHECK(bench.engine.status(bench.now).checks.empty());
  bench.step(Shutdown{});
}

TEST_CASE("reload: a check that is kept keeps its fact") {
  auto checked = one;
  checked.checks = {{"web/nginx", -60, false}};
  Bench bench({checked, two});
  bench.check("web/nginx", false);
  auto changed = checked;
  changed.checks[0].priority = -20;
  bench.configure({changed, two});
  CHECK(of(bench, 1).priority == 180);
}

TEST_CASE("reload: changed announcing counts from now on: no round at once, none of the old refresh") {
  auto refreshed = router(1, {"192.0.2.101/24"}, 255);
  refreshed.announce = {1, 10s};
  refreshed.dead_man = 0s;
  Bench bench({refreshed});
  bench.wait(5s);
  bench.log.clear();
  auto changed = refreshed;
  changed.announce = {1, 60s};
  CHECK(bench.configure({changed}).empty());
  bench.wait(59s);
  const auto announced = [&] {
    return std::count_if(bench.log.begin(), bench.log.end(),
                         [](const auto& each) { return std::holds_alternative<Announce>(each.second); });
  };
  CHECK(announced() == 0);
  bench.wait(1s);
  CHECK(announced() == 1);
}

TEST_CASE("reload: the entry's name changes, and nothing else") {
  auto bench = both_active();
  auto renamed = one;
  renamed.name = "other";
  CHECK(bench.configure({renamed, two}).empty());
  CHECK(bench.step(SwitchRequested{"other"}).size() == 3);
}

TEST_CASE("reload: the priority becomes 255 in Active: advertised at once; back to less: the same") {
  auto bench = both_active();
  auto owner = one;
  owner.priority = 255;
  CHECK(bench.configure({owner, two}) == Lines{"note priority_changed", "advert 255"});
  CHECK(bench.configure({one, two}) == Lines{"note priority_changed", "advert 200"});
  CHECK(bench.holds("192.0.2.101"));
}

TEST_CASE("reload: an interval that is not believed yet is not believed for preemption being switched off") {
  Bench bench({c4()});
  bench.hear({.priority = 150, .interval = Centiseconds{4000}});
  REQUIRE(bench.state() == StateName::backup);
  auto patient = c4();
  patient.preempt_mode = false;
  bench.configure({patient});
  CHECK(bench.timer() <= 12s);
  CHECK(bench.status().active_adver_interval <= 3s);
}
