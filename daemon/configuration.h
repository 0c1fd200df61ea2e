// Configuration: what is in force, and what a reload does to it. A reload is whole or nothing: with an error
// in the file everything stays. One that has to be confirmed goes back by itself if nobody does: what was in
// force when it was confirmed last comes again, whatever the file says. It decides what is in force; the
// guardian tells the others.
#pragma once

#include <optional>
#include <string>

#include "base/result.h"
#include "base/time.h"
#include "conf/config.h"

namespace vipd::daemon {

class Configuration {
 public:
  Configuration(std::string file, conf::Config config)
      : file_(std::move(file)), current_(std::move(config)) {}

  const std::string& file() const { return file_; }
  const conf::Config& current() const { return current_; }

  // Reads the file again. confirm: how long to wait for confirm(); nothing: for good, and what waited is
  // confirmed too. Returns what was done, in words, a line for each change; or all that is wrong.
  Result<std::string> reload(std::optional<Duration> confirm, TimePoint now);

  // What was done, or that there is nothing to be confirmed.
  Result<std::string> confirm();

  // When nobody has confirmed: goes back, and says what was done. Once.
  std::optional<std::string> expire(TimePoint now);
  TimePoint deadline() const { return unconfirmed_ ? unconfirmed_->until : never; }

 private:
  struct Unconfirmed {
    conf::Config before;
    TimePoint until;
  };

  std::string file_;
  conf::Config current_;
  std::optional<Unconfirmed> unconfirmed_;
};

// "2 virtual routers, 1 virtual server, 3 checks".
std::string summary(const conf::Config& config);

}  // namespace vipd::daemon
