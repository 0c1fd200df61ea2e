#include "ctl/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "ctl/answer.h"
#include "ctl/wording.h"

namespace vipd::ctl {

namespace {
using nlohmann::json;

std::string state_text(const std::string& state, bool colours) {
  return coloured(state, state_colour(state), colours);
}

std::string peer_text(const json& peer) {
  if (peer.is_null()) return "none heard";
  return fmt::format("{}, priority {}, heard {} ago", text(peer, "address"), whole(peer, "priority"),
                     age(number(peer, "heard_ms_ago") / 1000));
}

std::string addresses_text(const json& addresses) {
  constexpr std::size_t most = 8;
  const auto present = std::count_if(addresses.begin(), addresses.end(),
                                     [](const json& each) { return truth(each, "present"); });
  std::string all;
  for (std::size_t i = 0; i < std::min(addresses.size(), most); ++i)
    all += fmt::format("{}{}", i == 0 ? "" : ", ", text(addresses[i], "address"));
  if (addresses.size() > most) all += fmt::format(", and {} more", addresses.size() - most);
  if (present == 0) return all + " (not here)";
  if (static_cast<std::size_t>(present) == addresses.size()) return all + " (here)";
  return all + fmt::format(" ({} of {} here)", present, addresses.size());
}

std::string lease_text(const json& lease) {
  if (!truth(lease, "on")) return "off: " + text(lease, "why_not");
  std::string all = "on";
  if (part(lease, "remaining_ms").is_number()) {
    const auto left = number(lease, "remaining_ms");
    all += left > 0 ? fmt::format(", for another {:.0f} ms", left)
                    : fmt::format(", has run out {} ago", age(-left / 1000));
  }
  if (const auto drops = whole(lease, "drops"); drops != 0) all += fmt::format(", {} packets dropped", drops);
  return all;
}

std::string discarded_text(const json& discarded) {
  std::string all;
  for (const auto& [reason, each] : discarded.items())
    if (const auto count = whole(discarded, reason); count != 0)
      all += fmt::format("{}{} {}", all.empty() ? "" : ", ", count, printable(reason));
  return all;
}

std::string router_text(const json& router, bool colours) {
  const auto name = text(router, "name");
  std::string all =
      fmt::format("{}  {}  {} VRID {} {}, since {}\n", name, state_text(text(router, "state"), colours),
                  text(router, "interface"), whole(router, "vrid"), text(router, "family"),
                  age(number(router, "since_s")));
  all += fmt::format("    why       {}\n", text(router, "reason"));
  const auto priority = whole(router, "priority");
  const auto configured = whole(router, "base_priority");
  all += fmt::format("    priority  {}{}\n", priority,
                     priority == configured ? "" : fmt::format(" (configured {})", configured));
  all += fmt::format("    peer      {}\n", peer_text(part(router, "peer")));
  all += fmt::format("    addresses {}\n", addresses_text(list(router, "addresses")));
  all += fmt::format("    lease     {}\n", lease_text(part(router, "lease")));
  if (truth(router, "yielded"))
    all += fmt::format("    switched  to the peer by command; vipctl switch --back {}\n", name);
  if (const auto& conflict = part(router, "conflict"); !conflict.is_null())
    all +=
        fmt::format("    conflict  {} has {} too: {} time{}, {} ago for the last time\n",
                    part(conflict, "mac").is_null() ? "somebody" : text(conflict, "mac"),
                    text(conflict, "address"), whole(conflict, "times"),
                    whole(conflict, "times") == 1 ? "" : "s", age(number(conflict, "heard_ms_ago") / 1000));
  if (const auto& deaf = part(router, "deaf_peer"); !deaf.is_null())
    all += fmt::format("    one way   {} is Active too and does not hear this node\n", text(deaf));
  if (const auto discarded = discarded_text(part(router, "discarded")); !discarded.empty())
    all += fmt::format("    discarded {}\n", discarded);
  return all;
}

std::string check_text(const json& check, bool colours) {
  const auto state = text(check, "state");
  return fmt::format("    {}  {}  {}\n", coloured(state, check_colour(state), colours), text(check, "name"),
                     text(check, "detail"));
}
}  // namespace

std::string status_text(const json& status, bool colours) {
  std::string all;
  if (const auto waiting = waiting_reload(status); !waiting.empty())
    all += coloured(waiting, severity_colour("P1"), colours) + "\n";
  const auto& routers = list(status, "routers");
  for (const auto& router : routers) all += router_text(router, colours);
  if (routers.empty()) all += "no virtual routers are configured\n";
  const auto& checks = list(status, "checks");
  if (!checks.empty()) all += "checks\n";
  for (const auto& check : checks) all += check_text(check, colours);
  for (const auto& [name, interface] : part(status, "interfaces").items())
    if (const auto discarded = discarded_text(part(interface, "discarded")); !discarded.empty())
      all += fmt::format("discarded on {}: {}\n", printable(name), discarded);
  for (const auto& [name, program] : part(status, "programs").items())
    if (const auto restarts = whole(program, "restarts"); restarts != 0 || whole(program, "pid") == 0)
      all += fmt::format("the {} program has been restarted {} time{}\n", printable(name), restarts,
                         restarts == 1 ? "" : "s");
  return all;
}

std::string explanation_text(const json& explanation) {
  std::string all;
  if (!explanation.is_array()) return all;
  for (const auto& router : explanation)
    for (const auto& sentence : list(router, "sentences")) all += text(sentence) + "\n";
  return all;
}

}  // namespace vipd::ctl
