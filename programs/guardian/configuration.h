// Configuration: the configuration in force, and the effect of a reload on it. A reload takes effect entirely
// or, if the file contains an error, not at all. One that requires confirmation rolls back without it, to the
// configuration confirmed last, whatever the file contains. This class decides which configuration is in
// force; the guardian sends it to the other programs.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "base/time.h"
#include "conf/config.h"

namespace vipd::programs {

class Configuration {
 public:
  // node: empty for the host's name.
  Configuration(std::string file, std::string node, conf::Config config)
      : file_(std::move(file)), node_(std::move(node)), current_(std::move(config)) {}

  const std::string& file() const { return file_; }
  std::string node() const;  // its current name
  const conf::Config& current() const { return current_; }

  // The values of these variables for a reload, as far as the environment has them.
  static std::map<std::string, std::string> environment(const std::vector<std::string>& names);

  // Reads the file again. confirm: how long to wait for confirm(); nothing: permanently, which also confirms
  // an unconfirmed reload. permit: may refuse the new configuration. Returns the changes, or all errors.
  struct Done {
    std::string changes;   // sentences, one per line
    std::string warnings;  // of the file
    std::string text() const;
  };
  using Permit = std::function<Result<>(const conf::Config& wanted)>;
  Result<Done> reload(std::optional<Duration> confirm, TimePoint now, const Permit& permit);

  // The change, or an error if there is nothing to confirm.
  Result<std::string> confirm();

  // Without a confirmation in time: rolls back, once, and returns the change.
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

}  // namespace vipd::programs
