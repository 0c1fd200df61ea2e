#include "programs/guardian/hook_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>

#include "events/catalogue.h"
#include "events/names.h"
#include "programs/common/event_log.h"
#include "vrrp/event_names.h"

namespace vipd::programs {

namespace {
constexpr std::size_t most_running = 16;

std::string_view word(const checks::ScriptOutcome& outcome) {
  switch (outcome.end) {
    case checks::ScriptOutcome::End::exited: return "exit code";
    case checks::ScriptOutcome::End::signalled: return "signal";
    case checks::ScriptOutcome::End::timed_out: return "did not end in time and was killed";
    case checks::ScriptOutcome::End::not_started: break;
  }
  return "not started";
}

std::string describe(const checks::ScriptOutcome& outcome) {
  auto text = std::string(word(outcome));
  const bool has_status = outcome.end == checks::ScriptOutcome::End::exited ||
                          outcome.end == checks::ScriptOutcome::End::signalled;
  if (has_status) text += fmt::format(" {}", outcome.status);
  if (!outcome.trouble.empty()) text += ": " + outcome.trouble;
  const auto& said = outcome.errors.empty() ? outcome.output : outcome.errors;
  if (!said.empty()) text += fmt::format(" ({})", said);
  return text;
}
}  // namespace

HookRunner::HookRunner(Log& log, LocalExecutor& programs, Tell tell)
    : log_(log), programs_(programs), tell_(std::move(tell)) {}

void HookRunner::replace(const conf::Config& config) {
  plan_ = HookPlan(config);
  fifos_.replace(plan_.fifos());
  users_.clear();
  for (const auto& user : plan_.users()) users_[user] = LocalExecutor::prepare({"as this user"}, user);
}

void HookRunner::happened(const std::vector<events::Event>& events, bool trusted) {
  if (trusted)
    for (const auto& event : states_.changes(events)) push(event, true);
  for (const auto& event : events) {
    if (events::is_about_hooks(event.name)) continue;
    if (trusted || event.name != vrrp::events::state_changed) push(event, false);
  }
}

void HookRunner::push(const events::Event& event, bool state) {
  write_fifos(event, state);
  HookJob job{state, event};
  if (!plan_.steps(job).empty()) queue_.push(std::move(job));
  note_dropped();
}

// A reload may forget the user of a program that still has to run.
std::vector<HookRunner::Step> HookRunner::prepared(const HookJob& job) const {
  std::vector<Step> steps;
  for (auto& step : plan_.steps(job)) {
    auto program = users_.at(step.user);
    program.argv = step.argv;
    steps.push_back({std::move(step), std::move(program)});
  }
  return steps;
}

void HookRunner::step(TimePoint, bool may_start) {
  for (auto each = running_.begin(); each != running_.end();) {
    auto& [lane, running] = *each;
    if (!running.ended) {
      ++each;
      continue;
    }
    running.run.reset();
    if (!running.steps.empty()) {
      ++each;
      continue;
    }
    queue_.done(lane);
    each = running_.erase(each);
  }
  if (!may_start) return;
  // One per turn, because starting a program takes a while.
  for (auto& [lane, running] : running_)
    if (running.ended) return start_next(lane);
  if (running_.size() >= most_running) return;
  auto job = queue_.next();
  if (!job) return;
  const auto lane = HookQueue::lane_of(*job);
  auto& running = running_[lane];
  running.steps = prepared(*job);
  std::reverse(running.steps.begin(), running.steps.end());
  if (running.steps.empty())
    running.ended = true;  // a reload has removed the hook
  else
    start_next(lane);
}

void HookRunner::start_next(const HookQueue::Lane& lane) {
  auto& running = running_.at(lane);
  const auto step = std::move(running.steps.back());
  running.steps.pop_back();
  running.ended = false;
  log_.debug(fmt::format("{}: {}", step.wanted.name, step.program.argv.front()));
  auto run = programs_.run_program(
      fmt::format("hook {} {}", lane.first, lane.second), step.program, step.wanted.environment,
      step.wanted.timeout, [this, lane, name = step.wanted.name](const checks::ScriptOutcome& outcome) {
        ended(lane, name, outcome);
      });
  running.run = std::move(run);
}

void HookRunner::ended(const HookQueue::Lane& lane, const std::string& name,
                       const checks::ScriptOutcome& outcome) {
  running_.at(lane).ended = true;
  const bool good = outcome.end == checks::ScriptOutcome::End::exited && outcome.status == 0;
  if (good) return;
  tell_(events::hook_failed, fmt::format("{}: {}", name, describe(outcome)), {{"hook", name}});
}

TimePoint HookRunner::deadline(TimePoint now, bool may_start) const {
  const auto ended = [](const auto& each) { return each.second.ended; };
  const bool any_ended = std::any_of(running_.begin(), running_.end(), ended);
  const bool more = running_.size() < most_running && queue_.has_next();
  return may_start && (any_ended || more) ? now : never;
}

void HookRunner::write_fifos(const events::Event& event, bool state) {
  for (const auto& [path, line] : plan_.lines(event, state))
    if (const auto trouble = fifos_.write(path, line))
      tell_(events::hook_dropped, *trouble + ": it loses events", {{"hook", "fifo"}});
}

// --- what the monitor sends -------------------------------------------------------------------------

namespace {
std::string read_secret(const std::string& path, Log& log) {
  constexpr std::size_t longest = 4096;
  if (path.empty()) return {};
  const io::Fd fd(open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::string secret(longest, '\0');
  const auto size = fd ? read(fd.get(), secret.data(), secret.size()) : -1;
  if (size < 0) log.warning(fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  secret.resize(static_cast<std::size_t>(std::max<ssize_t>(size, 0)));
  while (secret.ends_with('\n') || secret.ends_with('\r')) secret.pop_back();
  return secret;
}
}  // namespace

DeliverySettings delivery_settings(const conf::Config& config, Log& log) {
  DeliverySettings settings;
  const auto add = [&](const std::string& router, const events::Hooks& hooks) {
    if (hooks.webhook)
      settings.all.push_back({router, hooks.webhook, {}, read_secret(hooks.webhook->secret_file, log)});
    if (hooks.mail)
      settings.all.push_back({router, {}, hooks.mail, read_secret(hooks.mail->password_file, log)});
  };
  for (const auto& router : config.virtual_routers) add(router.name, router.hooks);
  add("", config.hooks);
  return settings;
}

void HookRunner::note_dropped() {
  const auto dropped = queue_.dropped();
  if (dropped == dropped_told_) return;
  if (dropped_told_ == 0 || dropped >= 2 * dropped_told_) {
    dropped_told_ = dropped;
    tell_(
        events::hook_dropped,
        fmt::format("on_event is too slow: it has lost {} event{} so far", dropped, dropped == 1 ? "" : "s"),
        {{"hook", "on_event"}, {"count", std::to_string(dropped)}});
  }
}

}  // namespace vipd::programs
