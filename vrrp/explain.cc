// Explains in sentences why a virtual router is in its state and has its priority. The functions that decided
// have recorded all of it (the reason of the last change, the explanation of effective_priority); nothing is
// decided or guessed again here.
#include <fmt/format.h>

#include "base/words.h"
#include "vrrp/status.h"

namespace vipd::vrrp {

namespace {
// After "has been".
std::string to_text(StateName state) {
  return (state == StateName::initialize ? "in " : "") + std::string(to_string(state));
}

std::string last_heard(const RouterStatus& router, TimePoint now) {
  if (!router.peer) return "No other router of this VRID has been heard.";
  const auto& peer = *router.peer;
  const auto address = to_string(peer.address);
  const auto age = in_words(now - peer.heard);
  if (peer.priority == release_priority)
    return fmt::format("{} announced {} ago that it was leaving (priority 0).", address, age);
  return fmt::format("The last advertisement came from {}, {} ago, with priority {}.", address, age,
                     peer.priority);
}

std::string outlook(const RouterStatus& router, TimePoint now) {
  switch (router.state) {
    case StateName::initialize:
      return router.releasing ? "This node keeps the addresses until it hears its successor."
                              : "This node takes part again once these obstacles are gone.";
    case StateName::active:
      return fmt::format("This node advertises every {}; a router with a priority above {} would take over.",
                         in_words(router.config.advertisement_interval), router.priority);
    case StateName::backup: break;
  }
  auto takes_over = fmt::format("This node takes over in {} unless it hears the Active.",
                                in_words(router.deadline.value_or(now) - now));
  if (router.on_trial)
    return takes_over +
           " It gave way to a router that it had never heard before: that router must advertise again.";
  if (router.yielded)
    return fmt::format(
        "{} `vipctl switch` took it out: any peer may be Active until `vipctl switch --back {}`.", takes_over,
        router.config.name);
  if (!router.config.preempt_mode)
    return takes_over + " preempt_mode is false: it does not take over from an Active of lower priority.";
  return takes_over;
}
}  // namespace

std::vector<std::string> explain(const RouterStatus& router, TimePoint now) {
  std::vector<std::string> sentences;
  sentences.push_back(fmt::format("{}, {}, has been {} for {}: {}.", router.config.name,
                                  to_string(router.config.key), to_text(router.state),
                                  in_words(now - router.since), router.reason));
  sentences.push_back(last_heard(router, now));
  sentences.push_back(outlook(router, now));
  if (router.deaf_peer)
    sentences.push_back(fmt::format("{} is Active too: this node hears it, but it does not hear this node.",
                                    to_string(*router.deaf_peer)));
  if (router.claim)
    sentences.push_back(fmt::format(
        "{} claims {} ({} time{}, last {} ago).",
        router.claim->mac == MacAddress{} ? "Another host"
                                          : "The host with MAC address " + to_string(router.claim->mac),
        to_string(router.claim->address), router.claim->times, router.claim->times == 1 ? "" : "s",
        in_words(now - router.claim->heard)));
  for (const auto& part : router.explanation) sentences.push_back("Priority: " + part + ".");
  return sentences;
}

std::string no_such_entry(const Status& status, const std::string& name) {
  std::vector<std::string> names;
  for (const auto& router : status.routers) names.push_back(router.config.name);
  const auto meant = did_you_mean(name, names);
  return "there is no entry " + quote(name) + " under virtual_routers" + (meant.empty() ? "" : ": " + meant);
}

}  // namespace vipd::vrrp
