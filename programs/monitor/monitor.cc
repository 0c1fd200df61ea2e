#include "programs/monitor/monitor.h"

#include <fmt/format.h>
#include <signal.h>

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "base/base64.h"
#include "events/line.h"
#include "events/names.h"
#include "programs/common/clock.h"
#include "programs/common/event_log.h"
#include "programs/monitor/metrics.h"
#include "programs/monitor/reply.h"
#include "programs/monitor/show.h"

namespace vipd::programs {

namespace {
using namespace std::chrono_literals;
using nlohmann::json;

constexpr Duration answer_bound = 2s;  // for the router and the guardian
constexpr Duration reload_bound = 20s;
constexpr Duration upgrade_bound = 15s;
constexpr Duration beat_interval = 1s;
constexpr std::size_t most_recent = 256;  // events
constexpr Duration time_for_answers = 200ms;
constexpr Duration between_refusals = 10s;
constexpr std::size_t most_refused = 1024;  // users
constexpr int most_turns = 100;             // of the loop, before deadlines are looked at

// The first line that is no warning: a refusal has errors, and the warnings of the same file may come before them.
std::string first_line(std::string text) {
  for (;;) {
    const auto end = text.find('\n');
    auto line = text.substr(0, end);
    if (end == std::string::npos || (!line.starts_with(' ') && line.find(": warning: ") == std::string::npos))
      return line;
    text.erase(0, end + 1);
  }
}

vrrp::CheckFact to_router(const checks::Fact& fact) {
  return {fact.check, fact.healthy, fact.priority, fact.detail, fact.since};
}

constexpr const char* no_answer =
    "no answer; the request was dropped, try again: vipd-router or vipd hangs or is being replaced";
}  // namespace

// --- scripts ------------------------------------------------------------------------------------------

class RemoteExecutor::Run : public checks::ScriptRun {
 public:
  Run(RemoteExecutor& executor, std::uint64_t number) : executor_(executor), number_(number) {}
  ~Run() override {
    if (executor_.waiting_.erase(number_) > 0) executor_.guardian_.send(CancelScript{number_});
  }

 private:
  RemoteExecutor& executor_;
  std::uint64_t number_;
};

std::unique_ptr<checks::ScriptRun> RemoteExecutor::run_script(const std::string& check, Duration timeout,
                                                              Done done) {
  const auto number = ++runs_;
  waiting_[number] = std::move(done);
  guardian_.send(RunScript{number, check, timeout});
  return std::make_unique<Run>(*this, number);
}

void RemoteExecutor::ended(const ScriptEnded& ended) {
  const auto found = waiting_.find(ended.run);
  if (found == waiting_.end()) return;
  const auto done = std::move(found->second);
  waiting_.erase(found);
  done(ended.outcome);
}

// --- the program --------------------------------------------------------------------------------------

Monitor::Monitor(Log& log, io::Channel guardian, io::Fd control)
    : log_(log),
      guardian_(
          loop_, log, "vipd",
          [this](GuardianToMonitor message) {
            std::visit([this](auto&& each) { hear(std::forward<decltype(each)>(each)); }, std::move(message));
          },
          [this](const std::string& why) { guardian_lost(why); }),
      router_(
          loop_, log, "vipd-router",
          [this](RouterToMonitor message) {
            std::visit([this](auto&& each) { hear(std::forward<decltype(each)>(each)); }, std::move(message));
          },
          [](const std::string&) {}),
      scripts_(guardian_),
      context_(
          loop_, [] { return now(); }, scripts_),
      checks_([this](const checks::CheckConfig& check) { return checks::prepare(check, context_); },
              [this](const checks::Fact& fact) { fact_changed(fact); }),
      control_(loop_, std::move(control),
               [this](const Client& client, const std::string& line) { requested(client, line); }),
      status_([this](const StatusRequest& request) { router_.send(request); }),
      deliveries_(log, context_.curl, [this](std::string_view name, std::string text, events::Fields fields) {
        auto event = events::make_event(name, std::move(text));
        event.fields = std::move(fields);
        tell(std::move(event));
      }) {
  guardian_.attach(std::move(guardian));
}

int Monitor::run() {
  // The guardian handles signals and sends messages; Ctrl-C on a terminal reaches every program.
  const auto ignore = [](const signalfd_siginfo&) {};
  const auto interrupt = loop_.on_signal(SIGINT, ignore);
  const auto hang_up = loop_.on_signal(SIGHUP, ignore);
  const auto user1 = loop_.on_signal(SIGUSR1, ignore);
  const auto user2 = loop_.on_signal(SIGUSR2, ignore);
  const auto watchdog = loop_.on_signal(SIGABRT, ignore);  // sent by systemd if the guardian hangs
  const auto terminate = loop_.on_signal(SIGTERM, [this](const signalfd_siginfo&) { ended_ = true; });
  while (!ended_) {
    turn();
    context_.step(now());
    checks_.step(now());
    control_.step(now());
    status_.step(now());
    if (metrics_) metrics_->step();
    deliveries_.step(now());
    give_up_waiting(now());
    beat(now());
    ended_ = ended_ || end_at_ <= now();
  }
  return exit_code_;
}

// Also takes what else is ready, however many checks there are: after this node has stood still, no check may fail at
// its bound while its answer waits unread.
void Monitor::turn() {
  auto waited = wait_until(loop_, next_deadline());
  for (int turns = 1; waited && loop_.full() && turns < most_turns; ++turns) waited = loop_.wait(TimePoint{});
  if (!waited) log_.write_limited(Level::error, "wait", waited.error().message);
}

// If the guardian has ended, so does the monitor. If a message of the guardian could not be received, for
// lack of descriptors for instance, the guardian replaces the monitor, and sends the new one everything
// again.
void Monitor::guardian_lost(const std::string& why) {
  ended_ = true;
  if (!guardian_.broken()) return;
  log_.error("lost a message of the guardian, ending: " + why);
  exit_code_ = 1;
}

// Without signs of life the guardian and the router consider the monitor to hang.
void Monitor::beat(TimePoint now) {
  if (next_beat_ > now) return;
  next_beat_ = now + beat_interval;
  guardian_.send(Alive{});
  router_.send(Alive{});
}

TimePoint Monitor::next_deadline() const {
  TimePoint earliest = std::min({context_.next_deadline(), checks_.next_deadline(), control_.next_deadline(),
                                 deliveries_.next_deadline(), status_.next_deadline(), next_beat_, end_at_});
  if (metrics_) earliest = std::min(earliest, metrics_->next_deadline(now()));
  for (const auto& [id, waiting] : waiting_) earliest = std::min(earliest, waiting.deadline);
  return earliest;
}

void Monitor::hear(const ControlAccess& access) {
  control_.set_access({access.owner, access.group});
}

void Monitor::hear(const Checks& checks) {
  checks_.replace(checks.checks, now());
  configured_ = true;
  seed();
}

void Monitor::hear(const ScriptEnded& ended) {
  scripts_.ended(ended);
}

void Monitor::hear(Programs programs) {
  programs_ = std::move(programs);
}

void Monitor::hear(const DeliverySettings& settings) {
  deliveries_.replace(settings);
}

void Monitor::hear(const Reloaded& reloaded) {
  answered(reloaded.id, reloaded.good, reloaded.text);
}

void Monitor::hear(const Upgraded& upgraded) {
  answered(upgraded.id, upgraded.good, upgraded.text);
}

void Monitor::hear(const ConfigurationReply& reply) {
  const auto found = waiting_.find(reply.id);
  if (found == waiting_.end()) return;
  audit(found->second.audit, "done", true);
  control_.reply(found->second.client, good({{"file", programs_.config_file},
                                             {"node", reply.node},
                                             {"configuration", reply.text},
                                             {"variables", reply.variables},
                                             {"interfaces", reply.interfaces}}));
  waiting_.erase(found);
}

void Monitor::hear(RouterLink link) {
  if (!link.descriptor) return;
  auto channel = io::Channel::adopt(std::move(link.descriptor));
  if (!channel) return log_.error(channel.error().message);
  router_.attach(std::move(*channel));
  Health health;
  for (const auto& fact : checks_.facts()) health.facts.push_back(to_router(fact));
  router_.send(health);
}

void Monitor::hear(KnownFacts facts) {
  known_ = std::move(facts.facts);
  seed();
}

void Monitor::hear(const StatusReply& reply) {
  status_.answered(reply, now());
}

void Monitor::hear(const RecordReply& reply) {
  const auto found = waiting_.find(reply.id);
  if (found == waiting_.end()) return;
  control_.reply(found->second.client, good({{"recording", to_base64(reply.contents)}}));
  waiting_.erase(found);
}

void Monitor::hear(const CommandDone& done) {
  answered(done.id, done.good, done.text);
}

// --- checks -------------------------------------------------------------------------------------------

// After a restart of this program the checks continue with the results that the router has. They are used
// once: a check that a later reload adds again is new to the router too, and starts without a result.
void Monitor::seed() {
  if (!configured_) return;
  for (const auto& [name, fact] : std::exchange(known_, {}))
    checks_.seed({fact.check, fact.healthy, fact.priority, fact.detail, fact.since, {}});
}

void Monitor::fact_changed(const checks::Fact& fact) {
  router_.send(Health{{to_router(fact)}});
  auto event = events::make_event(
      events::check_changed,
      fmt::format("check {} is {}: {}", fact.check, fact.healthy ? "up" : "down", fact.detail), fact.healthy);
  event.fields["check"] = fact.check;
  event.fields["result"] = fact.healthy ? "up" : "down";
  tell(std::move(event));
}

// --- events -------------------------------------------------------------------------------------------

// An event of the monitor: sent to the guardian, which numbers it.
void Monitor::tell(events::Event event) {
  event.when = now();
  log_event(log_, event);
  guardian_.send(Happened{{std::move(event)}});
}

void Monitor::hear(const EventSettings& settings) {
  const events::Limits limits{settings.size, settings.age};
  if (journal_ && journal_->directory() == settings.directory) return journal_->set_limits(limits);
  // The sandbox allows only the directory given at the start, so a successor must write to the new one.
  if (journal_) {
    end_at_ = std::min(end_at_, now() + time_for_answers);
    return;
  }
  journal_ = std::make_unique<Journal>(settings.directory, limits);
  journal_watch_ = loop_.watch(journal_->fd(), [this] { look_at_journal(); });
}

// Reports a failure once, and once that it works again.
void Monitor::look_at_journal() {
  const auto state = journal_->state();
  const auto before = std::exchange(journal_state_, state);
  if (state.trouble.empty() == before.trouble.empty()) return;
  if (!state.trouble.empty())
    return tell(events::make_event(
        events::journal_failed,
        fmt::format("cannot write events to disk: {}; everything else continues, and vipd writes them later",
                    state.trouble)));
  const auto lost = state.lost - before.lost;
  tell(events::make_event(events::journal_resumed, fmt::format("events are written to disk again; {} missing",
                                                               lost == 0 ? "none" : std::to_string(lost))));
}

void Monitor::hear(const Happened& happened) {
  for (const auto& event : happened.events) {
    ++event_counts_[event.name];
    if (journal_) journal_->write(events::to_line(event));
    control_.publish(nlohmann::ordered_json{{"v", protocol_version}, {"event", events::to_json(event)}}.dump(
        -1, ' ', false, json::error_handler_t::replace));
    deliveries_.push(event, now());
    recent_.push_back(event);
    if (recent_.size() > most_recent) recent_.pop_front();
  }
  guardian_.send(EventsTaken{happened.last});
}

json Monitor::recent_events() const {
  json result{
      {"directory", nullptr}, {"trouble", nullptr}, {"lost", journal_state_.lost}, {"recent", json::array()}};
  if (journal_) result["directory"] = journal_->directory();
  if (!journal_state_.trouble.empty()) result["trouble"] = journal_state_.trouble;
  for (const auto& event : recent_) result["recent"].push_back(json(events::to_json(event)));
  return result;
}

// --- metrics ------------------------------------------------------------------------------------------

void Monitor::hear(MetricsSocket metrics) {
  metrics_.reset();
  if (!metrics.descriptor) return;
  auto started = MetricsServer::start(
      loop_, std::move(metrics.descriptor), [this](Format format, const MetricsServer::Answer& answer) {
        status_.ask(
            [this, format, answer](const StatusReply* reply) {
              answer(metrics_text({reply, checks_.status(), programs_, event_counts_, now()}, format));
            },
            now(), true);
      });
  if (!started) return log_.error(started.error().message);
  metrics_ = std::move(*started);
}

// --- requests -----------------------------------------------------------------------------------------

std::uint64_t Monitor::wait(std::uint64_t client, Duration bound) {
  const auto id = ++requests_;
  waiting_[id] = {client, now() + bound, {}};
  return id;
}

void Monitor::ask_router(std::uint64_t client, std::function<void(const StatusReply&)> on_status) {
  status_.ask(
      [this, client, on_status = std::move(on_status)](const StatusReply* reply) {
        if (!reply) return control_.reply(client, bad(no_answer));
        on_status(*reply);
      },
      now());
}

namespace {
std::string by_whom(const std::string& what, const Client& client) {
  return fmt::format("{} by user {} (pid {})", what, client.user, client.pid);
}
}  // namespace

std::uint64_t Monitor::wait_for_command(const Client& client, const std::string& what, Duration bound) {
  const auto id = wait(client.number, bound);
  waiting_[id].audit = by_whom(what, client);
  return id;
}

// An event for every command: the user, the command and the result.
void Monitor::audit(const std::string& command, const std::string& result, bool done) {
  tell(events::make_event(done ? events::command : events::command_refused,
                          fmt::format("{}: {}", command, result)));
}

void Monitor::answered(std::uint64_t id, bool is_good, const std::string& text) {
  const auto found = waiting_.find(id);
  if (found == waiting_.end()) return;
  audit(found->second.audit, (is_good ? "done: " : "refused: ") + first_line(text), is_good);
  control_.reply(found->second.client, is_good ? good({{"text", text}}) : bad(text));
  waiting_.erase(found);
}

void Monitor::give_up_waiting(TimePoint now) {
  for (auto each = waiting_.begin(); each != waiting_.end();) {
    if (each->second.deadline > now) {
      ++each;
      continue;
    }
    if (!each->second.audit.empty()) audit(each->second.audit, "no answer", false);
    control_.reply(each->second.client, bad(no_answer));
    each = waiting_.erase(each);
  }
}

void Monitor::requested(const Client& client, const std::string& line) {
  const auto request = parse_request(line);
  if (!request) return misunderstood(client, request.error());
  if (request->is_command()) return commanded(client, *request);
  const auto& command = request->command;
  if (command == "version") return control_.reply(client.number, good({{"version", VIPD_VERSION}}));
  if (command == "status")
    return ask_router(client.number, [this, number = client.number](const StatusReply& reply) {
      control_.reply(number, good_text(status_to_json(reply, checks_.status(), programs_, now())));
    });
  if (command == "explain")
    return ask_router(
        client.number, [this, number = client.number, router = request->router](const StatusReply& reply) {
          const auto explanation = explanation_to_json(reply.status, router);
          control_.reply(number, explanation.is_null() ? bad(vrrp::no_such_entry(reply.status, router))
                                                       : good(explanation));
        });
  if (command == "watch") {
    control_.subscribe(client.number);
    return control_.reply(client.number, good(json::object()));
  }
  if (command == "events") {
    if (request->follow) control_.subscribe(client.number);
    return control_.reply(client.number, good(recent_events()));
  }
  if (recording_ != 0 && waiting_.contains(recording_))
    return control_.reply(client.number, bad("another recording is being written: try again in a moment"));
  recording_ = wait(client.number, answer_bound);
  router_.send(RecordRequest{recording_});
}

// Reports only some refusals of a user that tries again and again, to keep the journal for other events.
void Monitor::refuse(const Client& client, const std::string& what) {
  if (refusals_.size() > most_refused) refusals_.clear();
  auto& refusal = refusals_[client.user];
  if (now() < refusal.next) {
    ++refusal.untold;
    return;
  }
  const auto more = std::exchange(refusal.untold, 0);
  refusal.next = now() + between_refusals;
  audit(by_whom(what, client),
        more == 0 ? "not permitted" : fmt::format("not permitted, like {} earlier ones of this user", more),
        false);
}

void Monitor::misunderstood(const Client& client, const BadRequest& bad_request) {
  const auto& [message, request] = bad_request;
  if (request.is_command()) {
    if (!client.may_command) {
      refuse(client, request.text());
      return control_.reply(client.number, not_permitted());
    }
    audit(by_whom(request.text(), client), "refused: " + message, false);
  }
  control_.reply(client.number, bad(message));
}

void Monitor::commanded(const Client& client, const Request& request) {
  const auto what = request.text();
  if (!client.may_command) {
    refuse(client, what);
    return control_.reply(client.number, not_permitted());
  }
  if (request.command == "reload")
    return guardian_.send(
        ReloadRequest{wait_for_command(client, what, reload_bound), now() + reload_bound, request.confirm});
  if (request.command == "confirm")
    return guardian_.send(ConfirmRequest{wait_for_command(client, what, reload_bound), now() + reload_bound});
  if (request.command == "configuration")
    return guardian_.send(
        ConfigurationRequest{wait_for_command(client, what, answer_bound), request.variables});
  if (request.command == "upgrade")
    return guardian_.send(
        UpgradeRequest{wait_for_command(client, what, upgrade_bound), now() + upgrade_bound});
  router_.send(Command{wait_for_command(client, what, answer_bound), now() + answer_bound, request.router,
                       request.back});
}

}  // namespace vipd::programs
