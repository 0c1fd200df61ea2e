#include "programs/guardian/hook_runner.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <climits>

#include "events/catalogue.h"
#include "events/line.h"
#include "events/names.h"
#include "programs/common/event_log.h"
#include "programs/common/paths.h"
#include "vrrp/event_names.h"

namespace vipd::programs {

namespace {
constexpr std::size_t most_running = 16;
constexpr mode_t fifo_mode = 0600;

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

std::string without_reader(const std::string& path) {
  return fmt::format("no process reads the FIFO {}, or it reads too slowly", path);
}

std::string name_of(const std::string& key, const std::string& router) {
  return router.empty() ? key : key + " of " + router;
}
}  // namespace

HookRunner::HookRunner(Log& log, LocalExecutor& programs, Tell tell)
    : log_(log), programs_(programs), tell_(std::move(tell)) {}

HookRunner::Prepared HookRunner::prepare(const std::string& router, const events::Hooks& config) {
  Prepared prepared{router, config, {}, {}};
  const auto program = [&](const auto& argv) { return LocalExecutor::prepare(argv, config.user); };
  if (!config.on_active.empty()) prepared.on_state["Active"] = program(config.on_active);
  if (!config.on_backup.empty()) prepared.on_state["Backup"] = program(config.on_backup);
  if (!config.on_initialize.empty()) prepared.on_state["Initialize"] = program(config.on_initialize);
  if (!config.on_event.empty()) prepared.on_event = program(config.on_event);
  return prepared;
}

void HookRunner::replace(const conf::Config& config) {
  hooks_.clear();
  for (const auto& router : config.virtual_routers)
    if (router.hooks != events::Hooks{}) hooks_.push_back(prepare(router.name, router.hooks));
  if (config.hooks != events::Hooks{}) hooks_.push_back(prepare("", config.hooks));
  std::erase_if(fifos_, [this](const auto& fifo) {
    return std::none_of(hooks_.begin(), hooks_.end(),
                        [&](const Prepared& each) { return each.config.fifo == fifo.first; });
  });
  for (const auto& each : hooks_) {
    if (each.config.fifo.empty()) continue;
    fifos_[each.config.fifo];
    // A reader may open it before the first event. A failure to make it is reported with the first line.
    (void)mkfifo(each.config.fifo.c_str(), fifo_mode);
  }
}

// Its own hooks first, then the global ones.
std::vector<const HookRunner::Prepared*> HookRunner::of(const std::string& router) const {
  std::vector<const Prepared*> found;
  for (const auto& each : hooks_)
    if (each.router.empty() || each.router == router) found.push_back(&each);
  return found;
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
  if (!steps(job).empty()) queue_.push(std::move(job));
  note_dropped();
}

std::vector<HookRunner::Step> HookRunner::steps(const HookJob& job) const {
  std::vector<Step> steps;
  for (const auto* hooks : of(job.event.router)) {
    const auto& config = hooks->config;
    const auto add = [&](const std::string& key, LocalExecutor::Program program) {
      if (config.arguments == events::HookArguments::keepalived && job.state)
        for (auto& argument : keepalived_arguments(job.event)) program.argv.push_back(argument);
      steps.push_back(
          {name_of(key, job.event.router), std::move(program), hook_environment(job.event), config.timeout});
    };
    if (job.state) {
      const auto state = job.event.fields.at("state");
      const auto found = hooks->on_state.find(state);
      // on_active runs before the units are started, the others after they are stopped.
      if (state != "Active") add_units(steps, *hooks, job);
      if (found != hooks->on_state.end())
        add(state == "Active"   ? "on_active"
            : state == "Backup" ? "on_backup"
                                : "on_initialize",
            found->second);
      if (state == "Active") add_units(steps, *hooks, job);
    } else if (hooks->on_event &&
               (job.event.severity <= config.severity || job.event.name == vrrp::events::state_changed)) {
      add("on_event", *hooks->on_event);
    }
  }
  return steps;
}

void HookRunner::add_units(std::vector<Step>& steps, const Prepared& hooks, const HookJob& job) const {
  const bool start = job.event.fields.at("state") == "Active";
  const auto& units = start ? hooks.config.start_units : hooks.config.stop_units;
  if (units.empty()) return;
  std::vector<std::string> argv{program_path("vipd-units"), start ? "start" : "stop"};
  argv.insert(argv.end(), units.begin(), units.end());
  auto program = LocalExecutor::prepare(argv, "root");
  steps.push_back({name_of("systemd", job.event.router), std::move(program), {}, hooks.config.timeout});
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
  running.steps = steps(*job);
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
  log_.debug(fmt::format("{}: {}", step.name, step.program.argv.front()));
  auto run = programs_.run_program(
      fmt::format("hook {} {}", lane.first, lane.second), step.program, step.environment, step.timeout,
      [this, lane, name = step.name](const checks::ScriptOutcome& outcome) { ended(lane, name, outcome); });
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

// --- FIFOs --------------------------------------------------------------------------------------------

void HookRunner::write_fifos(const events::Event& event, bool state) {
  for (const auto* hooks : of(event.router)) {
    const auto& config = hooks->config;
    if (config.fifo.empty()) continue;
    const bool keepalived = config.arguments == events::HookArguments::keepalived;
    if (keepalived != state)
      continue;  // the keepalived format has changes of state of entries, JSON has all events
    if (!state && event.severity > config.severity && event.name != vrrp::events::state_changed) continue;
    const auto line = keepalived ? keepalived_line(event) : events::to_line(event);
    auto& fifo = fifos_[config.fifo];
    const auto written = write_fifo(fifo, config.fifo, line + "\n");
    const auto trouble = written ? std::string() : written.error().message;
    if (std::exchange(fifo.trouble, trouble) == trouble || written) continue;
    tell_(events::hook_dropped, trouble + ": it loses events", {{"hook", "fifo"}});
  }
}

// Makes it if there is nothing at this path.
Result<> HookRunner::open_fifo(Fifo& fifo, const std::string& path) {
  const auto cannot = [&](const std::string& why) {
    return failure(fmt::format("the FIFO {}: {}", path, why));
  };
  if (mkfifo(path.c_str(), fifo_mode) != 0 && errno != EEXIST) return cannot(std::strerror(errno));
  struct stat status{};
  if (lstat(path.c_str(), &status) == 0 && !S_ISFIFO(status.st_mode))
    return cannot("the file exists and is not a FIFO");
  io::Fd fd(open(path.c_str(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOFOLLOW));
  if (!fd && errno == ENXIO) return failure(without_reader(path));
  if (!fd || fstat(fd.get(), &status) != 0) return cannot(std::strerror(errno));
  if (!S_ISFIFO(status.st_mode)) return cannot("the file exists and is not a FIFO");
  fifo.fd = std::move(fd);
  return {};
}

// Writes whole lines or nothing, and no line longer than a pipe takes at once.
Result<> HookRunner::write_fifo(Fifo& fifo, const std::string& path, const std::string& line) {
  if (line.size() > PIPE_BUF)
    return failure(fmt::format("the FIFO {} takes no line longer than {} bytes", path, PIPE_BUF));
  for (const bool again : {true, false}) {
    if (!fifo.fd) TRY_VOID(open_fifo(fifo, path));
    if (::write(fifo.fd.get(), line.data(), line.size()) >= 0) return {};
    if (errno != EPIPE || !again) break;
    fifo.fd.reset();  // the reader has gone; there may be a new one
  }
  return failure(without_reader(path));
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
