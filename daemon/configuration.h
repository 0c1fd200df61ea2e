// Configuration: what is in force, and what a reload does to it. A reload is whole or nothing: with an error
// in the file everything stays. One that has to be confirmed goes back by itself if nobody does: what was in
// force when it was confirmed last comes again, whatever the file says. It decides what is in force; the
// guardian tells the others.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "conf/config.h"

namespace vipd::daemon {

class Configuration {
 public:
  // node: empty for the host's name.
  Configuration(std::string file, std::string node, conf::Config config)
      : file_(std::move(file)), node_(std::move(node)), current_(std::move(config)) {}

  const std::string& file() const { return file_; }
  std::string node() const;  // as it is called now
  const conf::Config& current() const { return current_; }

  // What the file's variables are for a reload, those of the names that the environment has.
  static std::map<std::string, std::string> environment(const std::vector<std::string>& names);

  // Reads the file again. confirm: how long to wait for confirm(); nothing: for good, and what waited is
  // confirmed too. Returns what was done; or all that is wrong.
  // permit: may refuse what the file says.
  struct Done {
    std::string changes;   // in words, a line for each
    std::string warnings;  // of the file
    std::string text() const;
  };
  using Permit = std::function<Result<>(const conf::Config& wanted)>;
  Result<Done> reload(std::optional<Duration> confirm, TimePoint now, const Permit& permit);

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
  std::string node_;
  conf::Config current_;
  std::optional<Unconfirmed> unconfirmed_;
};

}  // namespace vipd::daemon
