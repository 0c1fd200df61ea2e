// What the author of a kind of health check implements, and how a check is configured.
//
// A kind asks and judges: it starts one Attempt (checks/runners/runners.h) and calls done(Verdict) once. It has no
// schedule, no timer, no counter, no log and no retry: checks/schedule has them. Destroying the Attempt
// cancels it without a call.
//
// The settings of a kind (its YAML keys) live in checks/settings/<kind>_settings.cc and link with everybody who reads
// the configuration; the runner in checks/runners/<kind>.cc links with the monitor alone.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/document.h"
#include "base/result.h"
#include "base/time.h"

namespace vipd::checks {

// What happens to the virtual router while the check is down (vipd.yaml: on_failure). By default it falls to
// the lowest priority there is: a healthy peer wins whatever the two priorities are, and where all nodes are
// ill one of them still serves.
struct OnFailure {
  int priority = -254;      // added to the priority, -254 to -1; 0 if `initialize`
  bool initialize = false;  // give the addresses up, whatever the peer's priority
  bool operator==(const OnFailure&) const = default;
};

// A check as configured. `settings` is the map of the kind's own keys as the file has them, the key that
// chooses the kind first; the kind reads it again where it runs, so that no other folder knows what is
// inside.
struct CheckConfig {
  std::string name;  // unique: "web/nginx" for check nginx of virtual server (or virtual router) web
  std::string kind;  // "http", "tcp", "script"
  Duration interval = std::chrono::seconds(1);      // from start to start
  Duration timeout = std::chrono::seconds(2);       // bound on a whole attempt
  int fall = 3;                                     // failures in a row until down
  int rise = 2;                                     // successes in a row until up
  Duration stale_after = std::chrono::seconds(60);  // how long a result is believed if nobody checks any more
  OnFailure on_failure;
  Node settings;
  bool operator==(const CheckConfig&) const = default;
};

// The answer of one attempt.
struct Verdict {
  bool healthy = false;
  // False: this node could not ask (no descriptors, no memory). Nothing was learnt of the service, and what
  // is known of it stays.
  bool conclusive = true;
  std::string detail;  // for people: "200 OK in 3.1 ms", "status 502, expected 200", "connection refused"
  std::optional<int> priority;  // a script's printed weight: a change of priority in place of up and down
  Duration latency{};           // from the start of the attempt to its answer
  // There was no answer: the attempt was ended after `latency`, which is not measured but a lower limit.
  bool latency_exceeded = false;
};

// Bounds of `latency`, wherever a kind has it.
constexpr Duration least_latency = std::chrono::microseconds(100);
constexpr Duration most_latency = std::chrono::hours(1);

// The settings of one kind, made by Kind::read and understood by the runner of the same kind.
struct Settings {
  std::optional<Duration> latency;  // without an answer by then, an attempt has failed
  virtual ~Settings() = default;
};

struct Kind {
  std::string_view name;  // the key that chooses it: "http"
  // Reads the kind's own keys from the check's map, reporting mistakes to the reader's diagnostics. Never
  // null.
  std::unique_ptr<Settings> (*read)(Reader& reader);
};

// checks/settings/kinds.cc: one line a kind. nullptr if there is no such kind.
const Kind* find_kind(std::string_view name);
std::vector<std::string> kind_names();

}  // namespace vipd::checks
