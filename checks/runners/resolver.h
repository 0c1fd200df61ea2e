// Resolver: resolves names to addresses without blocking, by c-ares: hosts file and DNS, in the order of
// nsswitch.conf.
//
// Each lookup reads the system's resolver configuration again, so that a changed resolv.conf needs no
// restart, and caches nothing: a check of a name proves that the name can be resolved. If a server does not
// answer, it is asked again after half a second, then the next one in turn.
#pragma once

#include <functional>
#include <memory>
#include <set>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/result.h"
#include "base/time.h"
#include "io/loop.h"

namespace vipd::checks {

class Resolver {
 public:
  // Addresses in the order in which to try them (RFC 6724); never empty.
  using Done = std::function<void(Result<std::vector<IpAddress>> addresses)>;

  // A running lookup. Destroying it cancels it; not allowed inside its own call of done.
  class Lookup {
   public:
    virtual ~Lookup() = default;
  };

  Resolver(io::Loop& loop, std::function<TimePoint()> clock);
  Resolver(const Resolver&) = delete;

  // done is called once: from the loop, from step, or before this call returns.
  std::unique_ptr<Lookup> resolve(const std::string& name, Done done);

  void step(TimePoint now);
  TimePoint next_deadline() const;

 private:
  class AresLookup;

  io::Loop& loop_;
  std::function<TimePoint()> clock_;
  std::set<AresLookup*> lookups_;  // under way
};

}  // namespace vipd::checks
