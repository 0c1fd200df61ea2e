// Attempt: one run of a check, from its start to its answer.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "checks/settings/check.h"

namespace vipd::checks {

// Destroying it cancels it: done is not called any more. It is never destroyed inside its own call of done.
class Attempt {
 public:
  Attempt() = default;
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;
  virtual ~Attempt() = default;

  // What it is waiting for just now, to be read after "timed out after 2s" or "ended": "while connecting".
  // May be empty.
  virtual std::string doing() const { return {}; }
};

// Called once with the answer, at any time: inside the start too.
using Done = std::function<void(Verdict)>;

// Starts an attempt of the check that it was made for.
using Start = std::function<std::unique_ptr<Attempt>(Done done)>;

// What a kind makes of the settings of a check, for all its attempts.
struct Prepared {
  Start start;
  std::optional<Duration> latency;  // Settings::latency
};

}  // namespace vipd::checks
