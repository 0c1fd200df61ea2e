#include "checks/runners/script.h"

#include <charconv>
#include <cstring>

#include "base/words.h"
#include "checks/runners/runners.h"
#include "checks/settings/script_settings.h"
#include "checks/wording.h"

namespace vipd::checks {

namespace {

constexpr int most_priority = 254;

std::string with_line(const std::string& text, const std::string& line) {
  return line.empty() ? text : text + ": " + quote(line);
}

std::optional<int> parse_priority(std::string_view line) {
  while (line.ends_with(' ')) line.remove_suffix(1);
  if (line.starts_with('+')) line.remove_prefix(1);
  int value = 0;
  const auto [end, error] = std::from_chars(line.data(), line.data() + line.size(), value);
  if (error != std::errc{} || end != line.data() + line.size()) return std::nullopt;
  if (value < -most_priority || value > most_priority) return std::nullopt;
  return value;
}

Verdict judge_success(const ScriptSettings& settings, const ScriptOutcome& outcome, Duration latency) {
  if (settings.result == ScriptResult::exit)
    return {.healthy = true, .detail = with_line("exit code 0 in " + in_words(latency), outcome.output)};
  if (outcome.output.empty()) return {.detail = "printed nothing, expected a number from -254 to 254"};
  const auto priority = parse_priority(outcome.output);
  if (!priority)
    return {.detail = "printed " + quote(outcome.output) + ", expected a number from -254 to 254"};
  return {.healthy = true,
          .detail = "printed " + std::to_string(*priority) + " in " + in_words(latency),
          .priority = priority};
}

Verdict judge(const CheckConfig& check, const ScriptSettings& settings, const ScriptOutcome& outcome,
              Duration latency) {
  // A failing script may have written its reason to either output.
  const auto& line = outcome.output.empty() ? outcome.errors : outcome.output;
  switch (outcome.end) {
    case ScriptOutcome::End::exited:
      if (outcome.status == 0) return judge_success(settings, outcome, latency);
      return {.detail = with_line("exit code " + std::to_string(outcome.status), line)};
    case ScriptOutcome::End::signalled: {
      const char* name = ::strsignal(outcome.status);
      return {.detail = with_line("ended by signal " + std::to_string(outcome.status) + " (" +
                                      (name ? name : "unknown") + ")",
                                  line)};
    }
    case ScriptOutcome::End::timed_out:
      return {.detail = "timed out after " + vipd::to_string(check.timeout), .latency_exceeded = true};
    case ScriptOutcome::End::not_started: break;
  }
  return {.detail = outcome.trouble};
}

class ScriptAttempt : public Attempt {
 public:
  ScriptAttempt(const CheckConfig& check, const ScriptSettings& settings, Context& context, Done done)
      : check_(check),
        settings_(settings),
        context_(context),
        done_(std::move(done)),
        started_(context.clock()) {}

  void start() {
    run_ = context_.scripts.run_script(check_.name, check_.timeout, [this](const ScriptOutcome& outcome) {
      const auto latency = context_.clock() - started_;
      auto verdict = judge(check_, settings_, outcome, latency);
      verdict.latency = latency;
      done_(std::move(verdict));
    });
  }

 private:
  const CheckConfig& check_;
  const ScriptSettings& settings_;
  Context& context_;
  Done done_;
  TimePoint started_;
  std::unique_ptr<ScriptRun> run_;
};

}  // namespace

std::unique_ptr<Attempt> start_script(const CheckConfig& check, const Settings& settings, Context& context,
                                      Done done) {
  auto attempt = std::make_unique<ScriptAttempt>(check, static_cast<const ScriptSettings&>(settings), context,
                                                 std::move(done));
  attempt->start();
  return attempt;
}

}  // namespace vipd::checks
