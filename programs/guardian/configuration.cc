#include "programs/guardian/configuration.h"

#include <fmt/format.h>

#include "conf/changes.h"
#include "conf/load.h"
#include "conf/print.h"

namespace vipd::programs {

namespace {

// One line per change, to follow another line.
std::string lines(const std::vector<conf::Change>& changes) {
  std::string text;
  for (const auto& change : changes) text += "\n" + conf::to_text(change);
  return text;
}

}  // namespace

std::string Configuration::node() const {
  return conf::surroundings_of_this_process(node_).node;
}

std::map<std::string, std::string> Configuration::environment(const std::vector<std::string>& names) {
  const auto surroundings = conf::surroundings_of_this_process();
  std::map<std::string, std::string> known;
  for (const auto& name : names)
    if (auto value = surroundings.environment(name)) known.emplace(name, std::move(*value));
  return known;
}

Result<Configuration::Done> Configuration::reload(std::optional<Duration> confirm, TimePoint now,
                                                  const Permit& permit) {
  auto loaded = TRY(conf::load_file(file_, conf::surroundings_of_this_process(node_)));
  if (!loaded.config) return failure(loaded.diagnostics.render());
  TRY_VOID(permit(*loaded.config));
  const auto changes = conf::changes(current_, *loaded.config);
  const bool waits = confirm && (!changes.empty() || unconfirmed_);
  const bool confirms = unconfirmed_ && !waits;
  if (waits)
    unconfirmed_ = {unconfirmed_ ? std::move(unconfirmed_->before) : current_, now + *confirm};
  else
    unconfirmed_.reset();
  current_ = std::move(*loaded.config);
  Done done;
  done.changes = fmt::format("reloaded {}: {}", file_, conf::summary(current_));
  if (changes.empty()) done.changes += "; nothing has changed";
  if (confirms) done.changes += "; this confirms the previous reload";
  if (confirm && !waits) done.changes += ", so there is nothing to confirm";
  if (waits)
    done.changes += fmt::format("; it rolls back in {} without \"vipctl confirm\"", in_words(*confirm));
  done.changes += lines(changes);
  done.warnings = loaded.diagnostics.render();
  return done;
}

std::string Configuration::Done::text() const {
  if (warnings.empty()) return changes;
  return changes + "\n" + warnings.substr(0, warnings.size() - 1);  // without the end of the last line
}

Result<std::string> Configuration::confirm() {
  if (!unconfirmed_) return failure("there is no unconfirmed reload");
  unconfirmed_.reset();
  return fmt::format("confirmed {}: {}", file_, conf::summary(current_));
}

std::optional<std::string> Configuration::expire(TimePoint now) {
  if (!unconfirmed_ || now < unconfirmed_->until) return std::nullopt;
  const auto changes = conf::changes(current_, unconfirmed_->before);
  current_ = std::move(unconfirmed_->before);
  unconfirmed_.reset();
  return fmt::format(
      "the reload was not confirmed: rolled back to the configuration before it: {}; {} still differs{}",
      conf::summary(current_), file_, lines(changes));
}

}  // namespace vipd::programs
