// Runs a check as the monitor does, with the real loop, clock and scripts, and says what came out.
#pragma once

#include <doctest/doctest.h>
#include <sys/resource.h>

#include <functional>
#include <string>

#include "checks/runners/runners.h"
#include "checks/schedule.h"
#include "checks/settings/check_settings.h"
#include "io/clock.h"
#include "io/loop.h"
#include "programs/guardian/local_executor.h"
#include "tests/checks/flow.h"

namespace vipd::testing {

struct Asking {
  io::Loop loop;
  programs::LocalExecutor scripts{loop, io::now};
  checks::Context context{loop, io::now, scripts};
  std::vector<checks::Fact> facts;
  checks::Schedule monitor{[this](const checks::CheckConfig& check) { return prepare(check, context); },
                           [this](const checks::Fact& fact) { facts.push_back(fact); }};

  // A check of this text, which starts within 10 ms.
  static checks::CheckConfig read(const std::string& text) {
    Diagnostics diagnostics("check", text);
    const Node node = Flow::parse(text);
    Reader reader(node, diagnostics, "check");
    auto check = checks::read_check(reader, "check");
    INFO(diagnostics.render());
    CHECK_FALSE(diagnostics.has_errors());
    return check;
  }

  void use(const checks::CheckConfig& check) {
    scripts.replace({check});
    monitor.replace({check}, io::now());
  }

  void turn(TimePoint deadline = never) {
    deadline =
        std::min({deadline, monitor.next_deadline(), context.next_deadline(), scripts.next_deadline()});
    REQUIRE(loop.wait(deadline));
    const auto now = io::now();
    scripts.step(now);
    context.step(now);
    monitor.step(now);
  }
  void run_until(const std::function<bool()>& met, Duration bound = std::chrono::seconds(30)) {
    const auto end = io::now() + bound;
    // Not all that is waited for comes by the loop.
    while (!met() && io::now() < end) turn(io::now() + std::chrono::milliseconds(5));
    CHECK(met());
  }
  void run(Duration time) {
    for (const auto end = io::now() + time; io::now() < end;) turn(end);
  }

  checks::CheckStatus status() const { return monitor.status().at(0); }

  // The first verdict of the check. One a second would only be waited for.
  checks::Fact first(checks::CheckConfig check) {
    if (check.interval == std::chrono::seconds(1)) check.interval = std::chrono::milliseconds(10);
    use(check);
    run_until([this] { return !facts.empty(); });
    return facts.empty() ? checks::Fact{} : facts[0];
  }
};

// No further descriptor for this process, as long as it lives.
class NoDescriptors {
 public:
  NoDescriptors() {
    REQUIRE(getrlimit(RLIMIT_NOFILE, &before_) == 0);
    const rlimit none{3, before_.rlim_max};
    REQUIRE(setrlimit(RLIMIT_NOFILE, &none) == 0);
  }
  ~NoDescriptors() { setrlimit(RLIMIT_NOFILE, &before_); }

 private:
  rlimit before_{};
};

// Text of a check's map without braces: `ask("tcp: 127.0.0.1:80, send: x")`.
inline checks::Fact ask(const std::string& keys) {
  Asking asking;
  return asking.first(Asking::read("{" + keys + "}"));
}

}  // namespace vipd::testing
