// Why a virtual router is in its state and has its priority, in sentences. Everything said here was recorded
// by the functions that decided (the reason of the last change, effective_priority's explanation); nothing is
// decided or guessed again.
#include <fmt/format.h>

#include "vrrp/status.h"

namespace vipd::vrrp {

namespace {
std::string ago(TimePoint now, TimePoint then) {
  const double seconds = std::chrono::duration<double>(now - then).count();
  return seconds < 10 ? fmt::format("{:.3f} s", seconds) : fmt::format("{:.0f} s", seconds);
}

std::string in(TimePoint now, TimePoint then) {
  return fmt::format("{:.1f} ms", std::chrono::duration<double, std::milli>(then - now).count());
}

std::string heard(const RouterStatus& router, TimePoint now) {
  if (!router.peer) return "No other router of this VRID has been heard.";
  const auto& peer = *router.peer;
  if (peer.priority == release_priority)
    return fmt::format("{} said {} ago that it leaves (priority 0).", to_string(peer.address),
                       ago(now, peer.heard));
  return fmt::format("{} was heard {} ago as Active with priority {}.", to_string(peer.address),
                     ago(now, peer.heard), peer.priority);
}

std::string outlook(const RouterStatus& router, TimePoint now) {
  switch (router.state) {
    case StateName::initialize:
      return router.releasing ? "The addresses stay until the successor is heard."
                              : "It takes part again as soon as nothing of this is left.";
    case StateName::active:
      return fmt::format("It advertises every {}; a router with a priority above {} would take over.",
                         vipd::to_string(Duration(router.config.advertisement_interval)), router.priority);
    case StateName::backup: break;
  }
  const auto takes_over = fmt::format("It takes over if nothing authoritative is heard for {} more.",
                                      in(now, router.deadline.value_or(now)));
  if (router.on_trial)
    return takes_over + " It gave way to a router that was not heard before and has to be heard again.";
  if (router.yielded)
    return takes_over +
           " It gave way by command: it lets any healthy peer be Active until `vipctl switch --back`.";
  if (!router.config.preempt_mode)
    return takes_over + " preempt_mode is false: a lower priority alone does not make it take over.";
  return takes_over;
}
}  // namespace

std::vector<std::string> explain(const RouterStatus& router, TimePoint now) {
  std::vector<std::string> sentences;
  sentences.push_back(fmt::format("{} ({}) is {} since {}: {}.", router.config.name,
                                  to_string(router.config.key), to_string(router.state),
                                  ago(now, router.since), router.reason));
  sentences.push_back(heard(router, now));
  sentences.push_back(outlook(router, now));
  if (router.deaf_peer)
    sentences.push_back(fmt::format("{} stays Active too: it is heard here, and does not hear this node.",
                                    to_string(*router.deaf_peer)));
  if (router.claim)
    sentences.push_back(fmt::format(
        "{} says that it has {} too: {} time{}, {} ago for the last time.",
        router.claim->mac == MacAddress{} ? "Another station" : "MAC address " + to_string(router.claim->mac),
        to_string(router.claim->address), router.claim->times, router.claim->times == 1 ? "" : "s",
        ago(now, router.claim->heard)));
  for (const auto& part : router.explanation) sentences.push_back("Priority: " + part + ".");
  return sentences;
}

}  // namespace vipd::vrrp
