// Attempt: one run of a check, from its start to its answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "checks/settings/check.h"

namespace vipd::checks {

// Destroying it cancels it: done is not called afterwards. It must not be destroyed inside its own call of
// done.
class Attempt {
 public:
  Attempt() = default;
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  virtual ~Attempt() = default;

  // What it is waiting for at the moment, to be appended to "timed out after 2s" or "ended": "while
  // connecting". May be empty.
  virtual std::string doing() const { return {}; }
};

// Called once with the answer, at any time, possibly before Start returns.
using Done = std::function<void(Verdict)>;

// Starts an attempt of the check that this function was made for.
using Start = std::function<std::unique_ptr<Attempt>(Done done)>;

// What a kind makes of a check's settings, for all attempts of the check.
struct Prepared {
  Start start;
  std::optional<Duration> latency;  // Settings::latency
};

}  // namespace vipd::checks
