#include "daemon/configuration.h"

#include <fmt/format.h>

#include "conf/build.h"
#include "conf/changes.h"
#include "conf/load.h"

namespace vipd::daemon {

namespace {

std::string counted(std::size_t count, std::string_view thing) {
  return fmt::format("{} {}{}", count, thing, count == 1 ? "" : "s");
}

// A line for each, below another line.
std::string lines(const std::vector<conf::Change>& changes) {
  std::string text;
  for (const auto& change : changes) text += "\n" + conf::to_text(change);
  return text;
}

}  // namespace

std::string summary(const conf::Config& config) {
  return counted(config.virtual_routers.size(), "virtual router") + ", " +
         counted(config.virtual_servers.size(), "virtual server") + ", " +
         counted(conf::checks(config).size(), "check");
}

Result<std::string> Configuration::reload(std::optional<Duration> confirm, TimePoint now) {
  auto loaded = TRY(conf::load_file(file_));
  if (!loaded.config) return failure(loaded.diagnostics.render());
  const auto changes = conf::changes(current_, *loaded.config);
  if (confirm)
    unconfirmed_ = {unconfirmed_ ? std::move(unconfirmed_->before) : current_, now + *confirm};
  else
    unconfirmed_.reset();
  current_ = std::move(*loaded.config);
  auto text = fmt::format("reloaded {}: {}", file_, summary(current_));
  if (changes.empty()) text += "; nothing has changed";
  if (confirm) text += fmt::format("; without \"vipctl confirm\" it goes back in {}", to_string(*confirm));
  return text + lines(changes);
}

Result<std::string> Configuration::confirm() {
  if (!unconfirmed_) return failure("no reload waits to be confirmed");
  unconfirmed_.reset();
  return fmt::format("confirmed {}: {}", file_, summary(current_));
}

std::optional<std::string> Configuration::expire(TimePoint now) {
  if (!unconfirmed_ || now < unconfirmed_->until) return std::nullopt;
  const auto changes = conf::changes(current_, unconfirmed_->before);
  current_ = std::move(unconfirmed_->before);
  unconfirmed_.reset();
  return fmt::format(
      "the reload was not confirmed, back to the configuration before it: {}; {} still says otherwise{}",
      summary(current_), file_, lines(changes));
}

}  // namespace vipd::daemon
