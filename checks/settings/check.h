// What the author of a kind of health check implements, and how a check is configured.
//
// A kind asks a service and judges its answer: it starts one Attempt (checks/runners/runners.h) and calls
// done(Verdict) once. Schedule, timers, counters, log and retries are in checks/schedule. Destroying the
// Attempt cancels it without a call.
//
// The settings of a kind (its YAML keys) live in health/<kind>_settings.cc and link with all code that reads
// the configuration; the runner in health/<kind>.cc links with the monitor alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/node.h"
#include "base/reader.h"
#include "base/result.h"
#include "base/time.h"

namespace vipd::checks {

// What happens to the virtual router while the check is down (vipd.yaml: on_failure). By default it falls to
// the lowest priority: any healthy peer wins whatever the two priorities are, and if all nodes are unhealthy
// one of them still serves.
struct OnFailure {
  int priority = -254;      // added to the priority, -254 to -1; 0 if `initialize`
  bool initialize = false;  // give the addresses up, whatever the peer's priority
  bool operator==(const OnFailure&) const = default;
};

// A check as configured. `settings` is the map of the kind's own keys as in the file, beginning with the key
// that chooses the kind. The kind reads it again where the check runs, so no other folder knows its content.
struct CheckConfig {
  std::string name;  // unique: "web/nginx" for check nginx of virtual server (or virtual router) web
  std::string kind;  // "http", "tcp", "script"
  Duration interval = std::chrono::seconds(1);      // from start to start
  Duration timeout = std::chrono::seconds(2);       // bound on a whole attempt
  int fall = 3;                                     // failures in a row until down
  int rise = 2;                                     // successes in a row until up
  Duration stale_after = std::chrono::seconds(60);  // how long a result is valid without a newer one
  OnFailure on_failure;
  Node settings;
  bool operator==(const CheckConfig&) const = default;
};

// The answer of one attempt.
struct Verdict {
  bool healthy = false;
  // False: this node could not ask (no descriptors, no memory). Nothing was learnt about the service, and its
  // last known state stays.
  bool conclusive = true;
  std::string detail;  // for people: "200 OK in 3.1 ms", "status 502, expected 200", "connection refused"
  std::optional<int> priority;  // printed by a script: a change of priority in place of up and down
  Duration latency{};           // from the start of the attempt to its answer
  // There was no answer: the attempt was ended after `latency`, which is then a lower limit and not measured.
  bool latency_exceeded = false;
};

// Bounds of `latency`, for every kind that has it.
constexpr Duration least_latency = std::chrono::microseconds(100);
constexpr Duration most_latency = std::chrono::hours(1);

// The settings of one kind, made by Kind::read and understood by the runner of the same kind.
struct Settings {
  std::optional<Duration> latency;  // without an answer by then, an attempt has failed
  virtual ~Settings() = default;
};

struct Kind {
  std::string_view name;  // the key that chooses it: "http"
  // Reads the kind's own keys from the check's map, and reports errors to the reader's diagnostics. Never
  // null.
  std::unique_ptr<Settings> (*read)(Reader& reader);
};

// The table in checks/settings/kinds.cc, one line per kind. nullptr: there is no such kind.
const Kind* find_kind(std::string_view name);
std::vector<std::string> kind_names();

}  // namespace vipd::checks
