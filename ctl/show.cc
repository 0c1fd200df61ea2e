#include "ctl/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>

namespace vipd::ctl {

namespace {
using nlohmann::json;

std::string coloured(const std::string& text, std::string_view colour, bool colours) {
  return colours ? fmt::format("\033[{}m{}\033[0m", colour, text) : text;
}

std::string state_text(const std::string& state, bool colours) {
  return coloured(state, state == "Active" ? "32" : state == "Backup" ? "36" : "33", colours);
}

// 0.42 s, 37 s, 12 min, 3 h, 5 d
std::string age(double seconds) {
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 172800) return fmt::format("{:.0f} h", seconds / 3600);
  return fmt::format("{:.0f} d", seconds / 86400);
}

std::string peer_text(const json& peer) {
  if (peer.is_null()) return "none heard";
  return fmt::format("{}, priority {}, heard {} ago", peer["address"].get<std::string>(),
                     peer["priority"].get<int>(), age(peer["heard_ms_ago"].get<double>() / 1000));
}

std::string addresses_text(const json& addresses) {
  constexpr std::size_t most = 8;
  const auto present = std::count_if(addresses.begin(), addresses.end(),
                                     [](const json& each) { return each["present"] == true; });
  std::string text;
  for (std::size_t i = 0; i < std::min(addresses.size(), most); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", addresses[i]["address"].get<std::string>());
  if (addresses.size() > most) text += fmt::format(", and {} more", addresses.size() - most);
  if (present == 0) return text + " (not here)";
  if (static_cast<std::size_t>(present) == addresses.size()) return text + " (here)";
  return text + fmt::format(" ({} of {} here)", present, addresses.size());
}

std::string lease_text(const json& lease) {
  if (lease["on"] != true) return "off: " + lease["why_not"].get<std::string>();
  std::string text = "on";
  if (lease["remaining_ms"].is_number()) {
    const auto left = lease["remaining_ms"].get<double>();
    text += left > 0 ? fmt::format(", for another {:.0f} ms", left)
                     : fmt::format(", has run out {} ago", age(-left / 1000));
  }
  if (lease["drops"] != 0) text += fmt::format(", {} packets dropped", lease["drops"].get<std::uint64_t>());
  return text;
}

std::string discarded_text(const json& discarded) {
  std::string text;
  for (const auto& [reason, count] : discarded.items())
    if (count != 0)
      text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count.get<std::uint64_t>(), reason);
  return text;
}

std::string router_text(const json& router, bool colours) {
  std::string text =
      fmt::format("{}  {}  {} VRID {} {}, since {}\n", router["name"].get<std::string>(),
                  state_text(router["state"], colours), router["interface"].get<std::string>(),
                  router["vrid"].get<int>(), router["family"].get<std::string>(), age(router["since_s"]));
  text += fmt::format("    why       {}\n", router["reason"].get<std::string>());
  text += fmt::format("    priority  {}{}\n", router["priority"].get<int>(),
                      router["priority"] == router["base_priority"]
                          ? ""
                          : fmt::format(" (configured {})", router["base_priority"].get<int>()));
  text += fmt::format("    peer      {}\n", peer_text(router["peer"]));
  text += fmt::format("    addresses {}\n", addresses_text(router["addresses"]));
  text += fmt::format("    lease     {}\n", lease_text(router["lease"]));
  if (router["yielded"] == true)
    text += fmt::format("    switched  to the peer by command; vipctl switch --back {}\n",
                        router["name"].get<std::string>());
  if (const auto& conflict = router["conflict"]; !conflict.is_null())
    text +=
        fmt::format("    conflict  {} has {} too: {} time{}, {} ago for the last time\n",
                    conflict["mac"].is_null() ? "somebody" : conflict["mac"].get<std::string>(),
                    conflict["address"].get<std::string>(), conflict["times"].get<std::uint64_t>(),
                    conflict["times"] == 1 ? "" : "s", age(conflict["heard_ms_ago"].get<double>() / 1000));
  if (const auto& deaf = router["deaf_peer"]; !deaf.is_null())
    text += fmt::format("    one way   {} is Active too and does not hear this node\n", deaf.get<std::string>());
  if (const auto discarded = discarded_text(router["discarded"]); !discarded.empty())
    text += fmt::format("    discarded {}\n", discarded);
  return text;
}

std::string check_text(const json& check, bool colours) {
  const auto state = check["state"].get<std::string>();
  return fmt::format("    {}  {}  {}\n",
                     coloured(state,
                              state == "up"     ? "32"
                              : state == "down" ? "31"
                                                : "33",
                              colours),
                     check["name"].get<std::string>(), check["detail"].get<std::string>());
}
}  // namespace

std::string status_text(const json& status, bool colours) {
  std::string text;
  for (const auto& router : status["routers"]) text += router_text(router, colours);
  if (status["routers"].empty()) text += "no virtual routers are configured\n";
  if (!status["checks"].empty()) text += "checks\n";
  for (const auto& check : status["checks"]) text += check_text(check, colours);
  for (const auto& [name, interface] : status["interfaces"].items())
    if (const auto discarded = discarded_text(interface["discarded"]); !discarded.empty())
      text += fmt::format("discarded on {}: {}\n", name, discarded);
  for (const auto& [name, program] : status["programs"].items())
    if (program["restarts"] != 0 || program["pid"] == 0)
      text += fmt::format("the {} program has been restarted {} time{}\n", name,
                          program["restarts"].get<int>(), program["restarts"] == 1 ? "" : "s");
  return text;
}

std::string explanation_text(const json& explanation) {
  std::string text;
  for (const auto& router : explanation)
    for (const auto& sentence : router["sentences"]) text += sentence.get<std::string>() + "\n";
  return text;
}

std::string event_text(const json& event) {
  const auto router = event.value("router", "");
  return fmt::format("{} {}{}{}\n", event.value("time", ""), router.empty() ? "" : router + ", ",
                     router.empty() ? "" : event.value("virtual_router", "") + ": ", event.value("text", ""));
}

}  // namespace vipd::ctl
