#include "checks/runners/runners.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <csignal>

#include "checks/runners/http.h"
#include "checks/runners/script.h"
#include "checks/runners/tcp.h"

namespace vipd::checks {

namespace {
constexpr std::array runners{
    Runner{"http", start_http},
    Runner{"tcp", start_tcp},
    Runner{"script", start_script},
};
}  // namespace

Context::Context(io::Loop& loop_to_use, std::function<TimePoint()> clock_to_use,
                 ScriptExecutor& scripts_to_use)
    : loop(loop_to_use),
      clock(std::move(clock_to_use)),
      scripts(scripts_to_use),
      curl(loop, clock),
      resolver(loop, clock),
      tls(clock) {
  std::signal(SIGPIPE, SIG_IGN);
}

TimePoint Context::next_deadline() const {
  return std::min(curl.next_deadline(), resolver.next_deadline());
}

void Context::step(TimePoint now) {
  resolver.step(now);
  curl.step(now);
}

const Runner* find_runner(std::string_view kind) {
  for (const auto& runner : runners)
    if (runner.kind == kind) return &runner;
  return nullptr;
}

Prepared prepare(const CheckConfig& check, Context& context) {
  const auto* kind = find_kind(check.kind);
  const auto* runner = find_runner(check.kind);
  assert(kind && runner);  // read_check has chosen it from the same table
  Diagnostics unread({}, {});
  Reader reader(check.settings, unread, check.name);
  const std::shared_ptr<const Settings> settings = kind->read(reader);
  return {[config = std::make_shared<const CheckConfig>(check), settings, runner, &context](Done done) {
            return runner->start(*config, *settings, context, std::move(done));
          },
          settings->latency};
}

}  // namespace vipd::checks
