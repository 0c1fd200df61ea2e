#include "ctl/show.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "ctl/answer.h"
#include "ctl/wording.h"

namespace vipd::ctl {

namespace {
using nlohmann::json;

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
    all += left > 0 ? fmt::format(", expires in {}", age(left / 1000))
                    : fmt::format(", expired {} ago", age(-left / 1000));
  }
  if (const auto drops = whole(lease, "drops"); drops != 0)
    all += fmt::format(", {} packet{} dropped", drops, drops == 1 ? "" : "s");
  return all;
}

std::string discarded_text(const json& discarded) {
  std::string all;
  for (const auto& [reason, each] : discarded.items())
    if (const auto count = whole(discarded, reason); count != 0)
      all += fmt::format("{}{} {}", all.empty() ? "" : ", ", count, printable(reason));
  return all;
}

// Blocks of lines that are no longer than `columns`.
class Page {
 public:
  Page(bool colours, std::size_t columns) : colours_(colours), columns_(columns) {}

  // The whole line in this colour.
  void line(const std::string& text, std::string_view colour = {}) { add("", text, "    ", colour); }

  // "edge Active for 37 s eth0 VRID 51 IPv4", or the name on a line of its own if the line were too long.
  void heading(const std::string& name, const std::string& state, const std::string& rest) {
    const bool fits = characters(name) + characters(state) + characters(rest) + 2 <= columns_;
    text_ += fmt::format("{}{}{}{}\n", name, fits ? "  " : "\n    ",
                         coloured(state, state_colour(state), colours_), rest);
  }

  // "    peer      none heard"
  void field(const char* label, const std::string& text, std::string_view colour = {}) {
    add(fmt::format("    {:<9} ", label), text, std::string(14, ' '), colour);
  }

  void check(const std::string& state, const std::string& name, const std::string& detail) {
    const auto begin = text_.size() + 4;
    add("    ", fmt::format("{}  {}  {}", state, name, detail), std::string(10, ' '));
    text_.replace(begin, state.size(), coloured(state, check_colour(state), colours_));
  }

  std::string take() { return std::move(text_); }

 private:
  void add(const std::string& before, const std::string& text, const std::string& indent,
           std::string_view colour = {}) {
    const auto room = std::max(columns_, indent.size() + 20) - indent.size();
    bool first = true;
    for (const auto& each : wrapped(text, room))
      text_ += (std::exchange(first, false) ? before : indent) + coloured(each, colour, colours_) + "\n";
  }

  bool colours_;
  std::size_t columns_;
  std::string text_;
};

void add_router(Page& page, const json& router) {
  const auto name = text(router, "name");
  page.heading(name, text(router, "state"),
               fmt::format(" for {}  {} VRID {} {}", age(number(router, "since_s")),
                           text(router, "interface"), whole(router, "vrid"), text(router, "family")));
  page.field("why", text(router, "reason"));
  const auto priority = whole(router, "priority");
  const auto configured = whole(router, "base_priority");
  page.field("priority", priority == configured ? std::to_string(priority)
                                                : fmt::format("{} (configured {})", priority, configured));
  page.field("peer", peer_text(part(router, "peer")));
  page.field("addresses", addresses_text(list(router, "addresses")));
  page.field("lease", lease_text(part(router, "lease")));
  if (truth(router, "yielded"))
    page.field("switched", fmt::format("to the peer by command; vipctl switch --back {}", name), yellow);
  if (const auto& conflict = part(router, "conflict"); !conflict.is_null())
    page.field(
        "conflict",
        fmt::format("{} claims {} ({} time{}, last {} ago)",
                    part(conflict, "mac").is_null() ? "another host" : text(conflict, "mac"),
                    text(conflict, "address"), whole(conflict, "times"),
                    whole(conflict, "times") == 1 ? "" : "s", age(number(conflict, "heard_ms_ago") / 1000)),
        red);
  if (const auto& deaf = part(router, "deaf_peer"); !deaf.is_null())
    page.field("one way", text(deaf) + " is Active too and does not hear this node", red);
  if (const auto discarded = discarded_text(part(router, "discarded")); !discarded.empty())
    page.field("discarded", discarded);
}
}  // namespace

std::string status_text(const json& status, bool colours, std::size_t columns) {
  Page page(colours, columns);
  if (const auto waiting = waiting_reload(status); !waiting.empty()) page.line(waiting, yellow);
  const auto& routers = list(status, "routers");
  for (const auto& router : routers) add_router(page, router);
  if (routers.empty()) page.line("no virtual routers are configured");
  const auto& checks = list(status, "checks");
  if (!checks.empty()) page.line("checks");
  for (const auto& check : checks)
    page.check(text(check, "state"), text(check, "name"), text(check, "detail"));
  for (const auto& [name, interface] : part(status, "interfaces").items())
    if (const auto discarded = discarded_text(part(interface, "discarded")); !discarded.empty())
      page.line(fmt::format("discarded on {}: {}", printable(name), discarded));
  for (const auto& [name, program] : part(status, "programs").items())
    if (const auto trouble = program_trouble(name, program); !trouble.empty()) page.line(trouble, yellow);
  return page.take();
}

std::string explanation_text(const json& explanation) {
  std::string all;
  if (!explanation.is_array()) return all;
  for (const auto& router : explanation)
    for (const auto& sentence : list(router, "sentences")) all += text(sentence) + "\n";
  return all;
}

}  // namespace vipd::ctl
