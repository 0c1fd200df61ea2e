#include "programs/guardian/hook_queue.h"

#include <doctest/doctest.h>

#include <algorithm>

#include "events/line.h"
#include "events/names.h"
#include "vrrp/event_names.h"

using namespace vipd;
using namespace vipd::events;
using namespace vipd::programs;

namespace {
Event state(const std::string& router, const std::string& to, const std::string& family = "IPv4") {
  auto event = make_event(vrrp::events::state_changed, "-> " + to);
  event.router = router;
  event.virtual_router = "VRID 51 on eth0 (" + family + ")";
  event.fields = {{"state", to}, {"priority", "250"}, {"vrid", "51"}};
  event.id = to;
  return event;
}

HookJob job(const std::string& router, const std::string& to) {
  return {true, state(router, to)};
}

HookJob other(const std::string& router, int number) {
  auto event = make_event(command, std::to_string(number));
  event.router = router;
  return {false, event};
}

// What would be run now, and is over at once.
std::string run_all(HookQueue& queue) {
  std::string text;
  while (const auto next = queue.next()) {
    text += (text.empty() ? "" : " ") + next->event.router + ":" +
            (next->state ? next->event.fields.at("state") : next->event.text);
    queue.done(HookQueue::lane_of(*next));
  }
  return text;
}

std::string changes(EntryStates& states, const std::vector<Event>& events) {
  std::string text;
  for (const auto& event : states.changes(events))
    text += (text.empty() ? "" : " ") + event.router + ":" + event.fields.at("state");
  return text;
}
}  // namespace

TEST_CASE("changes of state run in order, one at a time for each virtual router") {
  HookQueue queue;
  queue.push(job("edge", "Backup"));
  queue.push(job("office", "Backup"));
  const auto first = queue.next();
  const auto second = queue.next();
  REQUIRE(first);
  REQUIRE(second);
  CHECK(first->event.router == "edge");
  CHECK(second->event.router == "office");
  queue.push(job("edge", "Active"));
  CHECK_FALSE(queue.next());
  CHECK_FALSE(queue.has_next());
  queue.done(HookQueue::lane_of(*first));
  CHECK(queue.has_next());
  CHECK(run_all(queue) == "edge:Active");
  CHECK_FALSE(queue.empty());  // office still runs
  queue.done(HookQueue::lane_of(*second));
  CHECK(queue.empty());
}

TEST_CASE("of changes that come while a hook runs only the latest state is left") {
  HookQueue queue;
  queue.push(job("edge", "Backup"));
  const auto running = queue.next();
  REQUIRE(running);
  for (const auto* to : {"Active", "Backup", "Initialize", "Backup", "Active"}) {
    auto next = job("edge", to);
    next.event.fields["previous_state"] = to == std::string("Active") ? "Backup" : "Active";
    queue.push(std::move(next));
  }
  CHECK(queue.superseded() == 4);
  queue.done(HookQueue::lane_of(*running));
  const auto next = queue.next();
  REQUIRE(next);
  CHECK(next->event.fields.at("state") == "Active");
  CHECK(next->event.fields.at("previous_state") == "Backup");  // for which a hook has run
  CHECK_FALSE(queue.next());
}

TEST_CASE("other events hold up no change of state; the oldest go when there are too many, and are counted") {
  HookQueue queue;
  queue.push(other("edge", 0));
  const auto running = queue.next();
  REQUIRE(running);
  for (int i = 1; i <= static_cast<int>(HookQueue::most_waiting) + 3; ++i) queue.push(other("edge", i));
  CHECK(queue.dropped() == 3);
  queue.push(job("edge", "Active"));
  CHECK(run_all(queue) == "edge:Active");
  queue.done(HookQueue::lane_of(*running));
  const auto rest = run_all(queue);
  CHECK(rest.starts_with("edge:4 edge:5 "));
  CHECK(rest.ends_with("edge:67"));
}

TEST_CASE("an entry with both families changes its state once, when both have changed") {
  EntryStates states;
  CHECK(changes(states, {state("edge", "Backup"), state("edge", "Backup", "IPv6")}) == "edge:Backup");
  CHECK(changes(states, {state("edge", "Active"), state("edge", "Active", "IPv6")}) == "edge:Active");
  CHECK(changes(states, {state("edge", "Backup")}) == "edge:Backup");
  CHECK(changes(states, {state("edge", "Backup", "IPv6")}).empty());
  CHECK(changes(states, {state("edge", "Active")}).empty());
  CHECK(changes(states, {state("edge", "Active", "IPv6"), state("office", "Backup")}) ==
        "edge:Active office:Backup");
  CHECK(changes(states, {state("edge", "Initialize")}) == "edge:Initialize");
  CHECK(changes(states, {make_event(command, "")}).empty());
}

TEST_CASE("a state that came and went within one turn is not told") {
  EntryStates states;
  CHECK(changes(states, {state("edge", "Backup")}) == "edge:Backup");
  CHECK(changes(states, {state("edge", "Active"), state("edge", "Backup")}).empty());
}

TEST_CASE("programs find the event in their environment, and fields cannot forge anything") {
  auto event = state("edge", "Active");
  event.fields["router"] = "forged";
  event.fields["Odd=name"] = "x";
  event.text = std::string("a\0b", 3);
  const auto environment = hook_environment(event);
  const auto has = [&](const std::string& line) {
    return std::find(environment.begin(), environment.end(), line) != environment.end();
  };
  CHECK(has("VIPD_EVENT=state_changed"));
  CHECK(has("VIPD_ROUTER=edge"));
  CHECK_FALSE(has("VIPD_ROUTER=forged"));
  CHECK(has("VIPD_STATE=Active"));
  CHECK(has("VIPD_PRIORITY=250"));
  CHECK(has("VIPD_VRID=51"));
  CHECK(has("VIPD_SEVERITY=P1"));
  CHECK(has("VIPD_TEXT=a?b"));
  CHECK(std::none_of(environment.begin(), environment.end(), [](const auto& each) {
    return each.find("Odd") != std::string::npos && !each.starts_with("VIPD_JSON");
  }));
}

TEST_CASE("keepalived's scripts get its words in its order") {
  const auto words = [](const std::string& to, const std::string& reason = "") {
    auto event = state("edge", to);
    event.fields["reason"] = reason;
    return keepalived_arguments(event);
  };
  CHECK(words("Active") == std::vector<std::string>{"INSTANCE", "edge", "MASTER", "250"});
  CHECK(words("Backup")[2] == "BACKUP");
  CHECK(words("Initialize", "eth0 has no carrier")[2] == "FAULT");
  CHECK(words("Initialize", "vipd is stopping")[2] == "STOP");
  CHECK(keepalived_line(state("edge", "Active")) == "INSTANCE \"edge\" MASTER 250");
}
