// The runners of checks, linked with the monitor alone: one line per kind in the table of runners.cc.
//
// A runner is a function that starts one attempt. It gets the check, its settings as the kind read them, and
// the Context: the loop, the clock and what the kinds share. It may answer at once or later from the loop.
#pragma once

#include <functional>
#include <memory>
#include <string_view>

#include "checks/attempt.h"
#include "checks/runners/curl_multi.h"
#include "checks/runners/resolver.h"
#include "checks/runners/tls_contexts.h"
#include "checks/script_executor.h"
#include "checks/settings/check.h"
#include "io/loop.h"

namespace vipd::checks {

// It outlives the attempts (and so the Schedule) that use it. It ignores SIGPIPE from its construction on:
// OpenSSL and libcurl would raise it by writing to a connection that the peer has closed.
struct Context {
  Context(io::Loop& loop_to_use, std::function<TimePoint()> clock_to_use, ScriptExecutor& scripts_to_use);
  Context(const Context&) = delete;

  // The deadlines of libcurl and of name lookups; call step after each turn of the loop, as the Schedule's.
  TimePoint next_deadline() const;
  void step(TimePoint now);

  io::Loop& loop;
  std::function<TimePoint()> clock;
  ScriptExecutor& scripts;
  CurlMulti curl;
  Resolver resolver;
  TlsContexts tls;
};

struct Runner {
  std::string_view kind;
  // check and settings outlive the attempt. Kind::read of the same kind has made settings.
  std::unique_ptr<Attempt> (*start)(const CheckConfig& check, const Settings& settings, Context& context,
                                    Done done);
};

const Runner* find_runner(std::string_view kind);

// Reads the settings of a check once for all its attempts: the Prepare that Schedule needs. If something has
// become invalid since the configuration was checked (a file is gone), the attempts fail and give the reason.
Prepared prepare(const CheckConfig& check, Context& context);

}  // namespace vipd::checks
