// Events in the guardian, and a monitor that comes and goes. The other end of the channel is read as the
// monitor would.
#include "programs/guardian/event_hub.h"

#include <doctest/doctest.h>

#include <set>
#include <string>
#include <vector>

#include "events/names.h"
#include "io/channel.h"
#include "io/loop.h"
#include "vrrp/event_names.h"

using namespace vipd;
using namespace vipd::programs;

namespace {
using Texts = std::vector<std::string>;

events::Event numbered(std::size_t number) {
  return events::make_event(vrrp::events::peer_heard, std::to_string(number));
}

Texts texts_of(const std::vector<events::Event>& events) {
  Texts texts;
  for (const auto& event : events) texts.push_back(event.text);
  return texts;
}

struct Guardian {
  Log log{"test", Level::error};
  io::Loop loop;
  Link<GuardianToMonitor, MonitorToGuardian> link{loop, log, "vipd-monitor", [](const MonitorToGuardian&) {},
                                                  [](const std::string&) {}};
  std::vector<events::Event> listened;
  EventHub hub{
      log, link, events::WallTime(std::chrono::seconds(1'800'000'000)),
      [this](const auto& events, bool) { listened.insert(listened.end(), events.begin(), events.end()); }};
  std::optional<io::Channel> monitor;

  void start_monitor() {
    auto pair = io::Channel::pair().value();
    link.attach(std::move(pair.first));
    monitor = std::move(pair.second);
    hub.monitor_attached();
  }
  void kill_monitor() {
    link.detach();
    monitor.reset();
  }

  // What the monitor has received since the last call, with the number to accept it by.
  std::pair<Texts, std::uint64_t> received() {
    Texts texts;
    std::uint64_t last = 0;
    REQUIRE(monitor->receive([&](io::Message message) {
      const auto happened =
          std::get<Happened>(Direction<GuardianToMonitor>::read(std::move(message)).value());
      for (const auto& text : texts_of(happened.events)) texts.push_back(text);
      last = happened.last;
    }));
    return {texts, last};
  }
};
}  // namespace

TEST_CASE("event hub: events reach the monitor and the hooks, in order") {
  Guardian guardian;
  guardian.start_monitor();
  guardian.hub.pass_on({numbered(1), numbered(2)});
  guardian.hub.pass_on({numbered(3)});
  CHECK(guardian.received().first == Texts{"1", "2", "3"});
  CHECK(texts_of(guardian.listened) == Texts{"1", "2", "3"});
}

TEST_CASE("event hub: what no monitor has accepted goes to the next one, and only that") {
  Guardian guardian;
  guardian.hub.pass_on({numbered(1)});
  guardian.start_monitor();
  guardian.hub.pass_on({numbered(2)});
  const auto [texts, last] = guardian.received();
  CHECK(texts == Texts{"1", "2"});
  guardian.hub.taken(last);
  guardian.hub.pass_on({numbered(3)});  // the monitor dies before it accepts this one
  guardian.kill_monitor();
  guardian.hub.pass_on({numbered(4)});
  guardian.start_monitor();
  CHECK(guardian.received().first == Texts{"3", "4"});
}

TEST_CASE("event hub: without a monitor the oldest events are lost, and the next monitor learns how many") {
  Guardian guardian;
  for (std::size_t i = 1; i <= EventHub::most_waiting + 3; ++i) guardian.hub.pass_on({numbered(i)});
  guardian.start_monitor();
  const auto [texts, last] = guardian.received();
  REQUIRE(texts.size() == EventHub::most_waiting);
  CHECK(texts.front() == "5");
  CHECK(texts[texts.size() - 2] == std::to_string(EventHub::most_waiting + 3));
  CHECK(texts.back() == "lost 4 events while vipd-monitor did not accept them");
}

TEST_CASE("event hub: a loss is reported once") {
  Guardian guardian;
  for (std::size_t i = 0; i <= EventHub::most_waiting; ++i) guardian.hub.pass_on({numbered(i)});
  guardian.start_monitor();
  guardian.hub.taken(guardian.received().second);
  guardian.kill_monitor();
  guardian.start_monitor();
  CHECK(guardian.received().first.empty());
}

TEST_CASE("event hub: each event has an identifier of its own") {
  Guardian guardian;
  for (std::size_t i = 0; i < 100; ++i) guardian.hub.pass_on({numbered(i)});
  std::set<std::string> identifiers;
  for (const auto& event : guardian.listened) identifiers.insert(event.id);
  CHECK(identifiers.size() == 100);
}

TEST_CASE("event hub: only the router may report a change of state, because hooks run for it") {
  Guardian guardian;
  const auto change = events::make_event(vrrp::events::state_changed, "Backup -> Active");
  guardian.hub.pass_on({change, numbered(1)}, false);
  CHECK(texts_of(guardian.listened) == Texts{"1"});
  guardian.hub.pass_on({change});
  CHECK(texts_of(guardian.listened) == Texts{"1", "Backup -> Active"});
}

TEST_CASE("event hub: events that no catalogue has are dropped") {
  Guardian guardian;
  events::Event unknown;
  unknown.name = "made_up";
  guardian.hub.pass_on({unknown});
  CHECK(guardian.listened.empty());
}

TEST_CASE("event hub: an event that repeats is reported once for each key") {
  Guardian guardian;
  CHECK(guardian.hub.tell_if_due("key", events::held, "late"));
  CHECK_FALSE(guardian.hub.tell_if_due("key", events::held, "late"));
  CHECK(guardian.hub.tell_if_due("another key", events::held, "late"));
  CHECK(guardian.listened.size() == 2);
}
