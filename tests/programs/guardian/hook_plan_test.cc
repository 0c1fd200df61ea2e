// Which programs and FIFOs an event goes to.
#include "programs/guardian/hook_plan.h"

#include <doctest/doctest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "events/names.h"
#include "vrrp/event_names.h"

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
using Texts = std::vector<std::string>;

conf::Config with(const events::Hooks& of_edge, const events::Hooks& global = {}) {
  conf::Config config;
  config.virtual_routers.resize(2);
  config.virtual_routers[0].name = "edge";
  config.virtual_routers[0].hooks = of_edge;
  config.virtual_routers[1].name = "office";
  config.hooks = global;
  return config;
}

events::Event event(std::string_view name, events::Severity severity = events::Severity::p2,
                    const std::string& router = "edge") {
  auto event = events::make_event(name, "text");
  event.severity = severity;
  event.router = router;
  return event;
}

HookJob becomes(const std::string& state, const std::string& router = "edge") {
  auto changed = event(vrrp::events::state_changed, events::Severity::p2, router);
  changed.fields = {{"state", state}, {"priority", "250"}};
  return {true, changed};
}

Texts names(const std::vector<HookStep>& steps) {
  Texts names;
  for (const auto& step : steps) names.push_back(step.name);
  return names;
}

Texts paths(const std::vector<FifoLine>& lines) {
  Texts paths;
  for (const auto& each : lines) paths.push_back(each.path);
  return paths;
}

const events::Hooks every_state{
    .on_active = {"/up", "now"}, .on_backup = {"/down"}, .on_initialize = {"/gone"}};
}  // namespace

TEST_CASE("hooks: each state has its program, with the event in its environment") {
  const HookPlan plan(with(every_state));
  const auto steps = plan.steps(becomes("Active"));
  REQUIRE(steps.size() == 1);
  CHECK(steps[0].name == "on_active of edge");
  CHECK(steps[0].argv == Texts{"/up", "now"});
  CHECK(std::count(steps[0].environment.begin(), steps[0].environment.end(), "VIPD_STATE=Active") == 1);
  CHECK(names(plan.steps(becomes("Backup"))) == Texts{"on_backup of edge"});
  CHECK(names(plan.steps(becomes("Initialize"))) == Texts{"on_initialize of edge"});
}

TEST_CASE("hooks: the hooks of one entry do not run for another") {
  const HookPlan plan(with(every_state));
  CHECK(plan.steps(becomes("Active", "office")).empty());
}

TEST_CASE("hooks: those of the entry come before the global ones, which run for every entry") {
  const HookPlan plan(with({.on_active = {"/own"}}, {.on_active = {"/global"}}));
  const auto steps = plan.steps(becomes("Active"));
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].argv == Texts{"/own"});
  CHECK(steps[1].argv == Texts{"/global"});
  CHECK(plan.steps(becomes("Active", "office")).size() == 1);
}

TEST_CASE("hooks: the program prepares the node before units start, and cleans up after they have stopped") {
  const HookPlan plan(with({.on_active = {"/up"},
                            .on_backup = {"/down"},
                            .start_units = {"web.service"},
                            .stop_units = {"web.service", "db.service"}}));
  CHECK(names(plan.steps(becomes("Active"))) == Texts{"on_active of edge", "systemd of edge"});
  const auto steps = plan.steps(becomes("Backup"));
  CHECK(names(steps) == Texts{"systemd of edge", "on_backup of edge"});
  CHECK(Texts(steps[0].argv.begin() + 1, steps[0].argv.end()) == Texts{"stop", "web.service", "db.service"});
}

TEST_CASE("hooks: units are started by root, whatever user the programs run as") {
  const HookPlan plan(
      with({.on_active = {"/up"}, .user = "web", .timeout = 7s, .start_units = {"web.service"}}));
  const auto steps = plan.steps(becomes("Active"));
  REQUIRE(steps.size() == 2);
  CHECK(steps[0].user == "web");
  CHECK(steps[1].user == "root");
  CHECK(steps[1].timeout == 7s);
  CHECK(plan.users() == std::set<std::string>{"root", "web"});
}

TEST_CASE("hooks: scripts of keepalived get its arguments at a change of state") {
  const HookPlan plan(with({.on_active = {"/notify"}, .arguments = events::HookArguments::keepalived}));
  CHECK(plan.steps(becomes("Active")).at(0).argv == Texts{"/notify", "INSTANCE", "edge", "MASTER", "250"});
}

TEST_CASE("hooks: on_event runs for events that are severe enough, and for each change of state") {
  const HookPlan plan(with({.on_event = {"/log"}, .severity = events::Severity::p1}));
  CHECK(names(plan.steps({false, event(events::held, events::Severity::p0)})) == Texts{"on_event of edge"});
  CHECK(names(plan.steps({false, event(events::held, events::Severity::p1)})) == Texts{"on_event of edge"});
  CHECK(plan.steps({false, event(events::held, events::Severity::p2)}).empty());
  CHECK(plan.steps({false, event(vrrp::events::state_changed)}).size() == 1);
}

TEST_CASE(
    "hooks: a change of state of the entry does not run on_event, which gets those of virtual routers") {
  const HookPlan plan(with({.on_event = {"/log"}}));
  CHECK(plan.steps(becomes("Active")).empty());
}

TEST_CASE("hooks: a FIFO of JSON gets each event once, one of keepalived the states of entries") {
  const HookPlan plan(
      with({.fifo = "/json"}, {.arguments = events::HookArguments::keepalived, .fifo = "/old"}));
  CHECK(paths(plan.lines(event(events::held), false)) == Texts{"/json"});
  const auto change = becomes("Active").event;
  CHECK(paths(plan.lines(change, true)) == Texts{"/old"});
  CHECK(paths(plan.lines(change, false)) == Texts{"/json"});
  CHECK(plan.lines(change, true)[0].line == "INSTANCE \"edge\" MASTER 250");
  CHECK(plan.fifos() == std::set<std::string>{"/json", "/old"});
}

TEST_CASE("hooks: without hooks nothing runs") {
  CHECK(HookPlan().steps(becomes("Active")).empty());
  CHECK(HookPlan(with({})).users().empty());
}
