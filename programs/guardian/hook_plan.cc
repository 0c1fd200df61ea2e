#include "programs/guardian/hook_plan.h"

#include "events/line.h"
#include "programs/common/paths.h"
#include "vrrp/event_names.h"

namespace vipd::programs {

namespace {
constexpr const char* user_of_units = "root";  // systemd lets no other start and stop them

std::string name_of(const std::string& key, const std::string& router) {
  return router.empty() ? key : key + " of " + router;
}

bool is_severe_enough(const events::Hooks& hooks, const events::Event& event) {
  return event.severity <= hooks.severity || event.name == vrrp::events::state_changed;
}

struct OfState {
  const char* key;
  const std::vector<std::string>& argv;
};
OfState of_state(const events::Hooks& hooks, const std::string& state) {
  if (state == "Active") return {"on_active", hooks.on_active};
  if (state == "Backup") return {"on_backup", hooks.on_backup};
  return {"on_initialize", hooks.on_initialize};
}

void add_program(std::vector<HookStep>& steps, const char* key, const std::vector<std::string>& argv,
                 const events::Hooks& hooks, const HookJob& job) {
  if (argv.empty()) return;
  HookStep step{name_of(key, job.event.router), argv, hook_environment(job.event), hooks.user, hooks.timeout};
  if (hooks.arguments == events::HookArguments::keepalived && job.state)
    for (auto& argument : keepalived_arguments(job.event)) step.argv.push_back(argument);
  steps.push_back(std::move(step));
}

void add_units(std::vector<HookStep>& steps, bool start, const events::Hooks& hooks, const HookJob& job) {
  const auto& units = start ? hooks.start_units : hooks.stop_units;
  if (units.empty()) return;
  std::vector<std::string> argv{program_path("vipd-units"), start ? "start" : "stop"};
  argv.insert(argv.end(), units.begin(), units.end());
  steps.push_back({name_of("systemd", job.event.router), std::move(argv), {}, user_of_units, hooks.timeout});
}
}  // namespace

HookPlan::HookPlan(const conf::Config& config) {
  for (const auto& router : config.virtual_routers)
    if (router.hooks != events::Hooks{}) all_.push_back({router.name, router.hooks});
  if (config.hooks != events::Hooks{}) all_.push_back({"", config.hooks});
}

std::vector<const events::Hooks*> HookPlan::of(const std::string& router) const {
  std::vector<const events::Hooks*> found;
  for (const auto& each : all_)
    if (each.router.empty() || each.router == router) found.push_back(&each.hooks);
  return found;
}

std::vector<HookStep> HookPlan::steps(const HookJob& job) const {
  std::vector<HookStep> steps;
  for (const auto* hooks : of(job.event.router)) {
    if (job.state) {
      const auto& state = job.event.fields.at("state");
      const bool active = state == "Active";
      const auto [key, argv] = of_state(*hooks, state);
      if (!active) add_units(steps, active, *hooks, job);
      add_program(steps, key, argv, *hooks, job);
      if (active) add_units(steps, active, *hooks, job);
    } else if (is_severe_enough(*hooks, job.event)) {
      add_program(steps, "on_event", hooks->on_event, *hooks, job);
    }
  }
  return steps;
}

std::vector<FifoLine> HookPlan::lines(const events::Event& event, bool state) const {
  std::vector<FifoLine> lines;
  for (const auto* hooks : of(event.router)) {
    if (hooks->fifo.empty()) continue;
    const bool keepalived = hooks->arguments == events::HookArguments::keepalived;
    if (keepalived != state || (!state && !is_severe_enough(*hooks, event))) continue;
    lines.push_back({hooks->fifo, keepalived ? keepalived_line(event) : events::to_line(event)});
  }
  return lines;
}

std::set<std::string> HookPlan::users() const {
  std::set<std::string> users;
  for (const auto& each : all_) {
    users.insert(each.hooks.user);
    if (!each.hooks.start_units.empty() || !each.hooks.stop_units.empty()) users.insert(user_of_units);
  }
  return users;
}

std::set<std::string> HookPlan::fifos() const {
  std::set<std::string> paths;
  for (const auto& each : all_)
    if (!each.hooks.fifo.empty()) paths.insert(each.hooks.fifo);
  return paths;
}

}  // namespace vipd::programs
