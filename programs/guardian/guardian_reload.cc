// The guardian and its configuration: a reload, its confirmation or its rollback takes effect in all three
// programs at once. programs/guardian/configuration decides which configuration is in force.
#include <net/if.h>

#include <algorithm>
#include <functional>
#include <string_view>

#include "conf/build.h"
#include "conf/changes.h"
#include "conf/print.h"
#include "events/names.h"
#include "programs/common/clock.h"
#include "programs/guardian/guardian.h"

namespace vipd::programs {

namespace {
// The lines of a text that pass, with a separator between them.
std::string joined(const std::string& text, std::string_view separator,
                   const std::function<bool(std::string_view line)>& passes) {
  std::string all;
  for (std::size_t begin = 0; begin < text.size();) {
    const auto end = std::min(text.find('\n', begin), text.size());
    const auto line = std::string_view(text).substr(begin, end - begin);
    if (!line.empty() && passes(line)) all += (all.empty() ? "" : std::string(separator)) + std::string(line);
    begin = end + 1;
  }
  return all;
}

// An event is one sentence: without what is indented below a line, such as excerpts, remedies and consequences.
std::string one_sentence(const std::string& text) {
  return joined(text, "; ", [](std::string_view line) {
    const auto number = line.find_first_not_of("0123456789");
    return line.front() != ' ' && line.substr(std::min(number, line.size())).substr(0, 2) != " |";
  });
}

std::string without_warnings(const std::string& text) {
  return joined(text, "\n",
                [](std::string_view line) { return line.find(": warning: ") == std::string_view::npos; });
}
}  // namespace

// A claim that fails, for lack of descriptors for instance, is no reason not to serve.
Result<> Guardian::claim(const conf::Config& config) {
  auto claimed = reservations_.take(conf::virtual_routers(config));
  if (!claimed && claimed.error().code == EADDRINUSE) return claimed;
  if (!claimed) log_.warning(claimed.error().message);
  return {};
}

// Releases the claims that a reload has removed, unless a rollback may need them again.
void Guardian::give_claims_back() {
  if (configuration_.deadline() == never)
    reservations_.keep_only(conf::virtual_routers(configuration_.current()));
}

Reloaded Guardian::reload(const ReloadRequest& request) {
  if (told_ready_) notify_service_manager(reloading(now()));
  const auto done = configuration_.reload(request.confirm, now(),
                                          [this](const conf::Config& wanted) { return claim(wanted); });
  if (!done) {
    events_.tell(events::reload_refused, "reload refused, the configuration in force stays: " +
                                             one_sentence(without_warnings(done.error().message)));
    say_ready("the last reload was refused; serving " + conf::summary(configuration_.current()));
    return {request.id, false, done.error().message};
  }
  put_in_force(events::reloaded, done->changes);
  return {request.id, true, done->text() + without_interface()};
}

std::set<std::string> Guardian::interfaces_here() {
  std::set<std::string> names;
  auto* const list = if_nameindex();
  for (auto* each = list; each != nullptr && each->if_index != 0; ++each) names.insert(each->if_name);
  if (list != nullptr) if_freenameindex(list);
  return names;
}

// Not an error, because the interface may appear later; but the name may be misspelt.
std::string Guardian::without_interface() const {
  std::string text;
  const auto here = interfaces_here();
  for (const auto& router : configuration_.current().virtual_routers)
    if (!here.contains(router.interface)) text += "\n" + conf::without_interface(router);
  return text;
}

// One transaction: a program that is restarted meanwhile gets the same configuration.
void Guardian::put_in_force(std::string_view event, const std::string& done) {
  const auto& config = configuration_.current();
  scripts_.replace(conf::checks(config));
  hooks_.replace(config);
  leases_.configure(conf::virtual_routers(config));
  send_configuration(std::nullopt);
  give_claims_back();
  if (events_directory() != sandboxed_directory_) make_place_for_events();
  monitor_link_.send(event_settings());
  metrics_.configure(config.metrics.listen, now());
  monitor_link_.send(delivery_settings(configuration_.current(), log_));
  monitor_link_.send(Checks{conf::checks(config)});
  tell_monitor();
  say_ready("serving " + conf::summary(config));
  events_.tell(event, one_sentence(done));
}

void Guardian::confirm(std::uint64_t id) {
  const auto done = configuration_.confirm();
  give_claims_back();
  if (done) events_.tell(events::reload_confirmed, *done);
  tell_monitor();
  monitor_link_.send(Reloaded{id, done.has_value(), done ? *done : done.error().message});
}

void Guardian::go_back(TimePoint time) {
  const auto done = configuration_.expire(time);
  if (!done) return;
  put_in_force(events::reload_undone, *done);
}

}  // namespace vipd::programs
