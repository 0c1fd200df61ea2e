#include "record/replay.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "vrrp/engine.h"

namespace vipd::record {

namespace {

class Replayer {
 public:
  std::vector<Happening> run(const Recording& recording) {
    if (!recording.entries.empty()) begin_ = recording.entries.front().when;
    for (const auto& [when, event] : recording.entries) {
      now_ = when;
      tell(event);
      for (const auto& action : engine_.step(when, event))
        std::visit([this](const auto& each) { show(each); }, action);
    }
    return std::move(happenings_);
  }

 private:
  void say(const std::string& who, std::string text) {
    happenings_.push_back({now_ - begin_, who, std::move(text)});
  }
  // Actions of one virtual router at the same time share a line.
  void add(const std::string& who, const std::string& text) {
    if (!happenings_.empty() && open_ && happenings_.back().who == who &&
        happenings_.back().when == now_ - begin_)
      happenings_.back().text += ", " + text;
    else
      say(who, text);
    open_ = true;
  }

  std::string who(const vrrp::RouterKey& key) const {
    const auto name = names_.find(key);
    if (name == names_.end()) return to_string(key);
    const auto of_that_name = std::count_if(names_.begin(), names_.end(),
                                            [&](const auto& each) { return each.second == name->second; });
    return of_that_name < 2 ? name->second : fmt::format("{}/{}", name->second, to_string(key.family));
  }

  // --- engine inputs ---
  void tell(const vrrp::Input& event) {
    open_ = false;
    std::visit([this](const auto& each) { told(each); }, event);
    open_ = false;
  }
  void told(const vrrp::Tick&) {}
  void told(const vrrp::SenderIdentified&) {}
  void told(const vrrp::Shutdown&) { say("", "> shutdown requested"); }
  void told(const vrrp::AdvertisementsHeld&) {
    say("", "> vipd-router stalled; the guardian advertised in its place");
  }
  void told(const vrrp::SwitchRequested& event) { say("", fmt::format("> switch {}", event.name)); }
  void told(const vrrp::SwitchBackRequested& event) {
    say("", fmt::format("> switch {} --back", event.name));
  }
  void told(const vrrp::AddressClaimed& event) {
    if (claims_told_.insert({event.address, event.mac}).second)
      say("", fmt::format("> {} claims {}", to_string(event.mac), to_string(event.address)));
  }
  void told(const vrrp::AddressFailed& event) {
    say("", fmt::format("> the kernel refuses {}: {}", to_string(event.prefix), event.error));
  }
  void told(const vrrp::HealthChanged& event) {
    const auto& fact = event.fact;
    auto text = fmt::format("> check {} is {}", fact.check, fact.healthy ? "up" : "down");
    if (fact.priority) text += fmt::format(" (priority {:+})", *fact.priority);
    say("", text + (fact.detail.empty() ? "" : ": " + fact.detail));
  }
  void told(const vrrp::InterfaceChanged& event) {
    const auto& interface = event.interface;
    std::string text = !interface.exists()  ? "does not exist"
                       : !interface.up      ? "is down"
                       : !interface.running ? "is up, without carrier"
                                            : "is up and running";
    const auto addresses = std::count_if(interface.addresses.begin(), interface.addresses.end(),
                                         [](const auto& each) { return !each.ours; });
    text += fmt::format(", {} address{} of its own", addresses, addresses == 1 ? "" : "es");
    if (std::exchange(interfaces_[interface.name], text) != text)
      say("", fmt::format("> {} {}", interface.name, text));
  }
  void told(const vrrp::ConfigReplaced& event) {
    // Names of virtual routers that are no longer configured are kept: later actions may concern them.
    for (const auto& router : event.routers) {
      names_[router.key] = router.name;
      intervals_[router.key] = router.advertisement_interval;
    }
    say("", fmt::format("> configured: {} virtual router{}{}", event.routers.size(),
                        event.routers.size() == 1 ? "" : "s",
                        event.adopted ? ", continued from an earlier vipd-router" : ""));
  }
  // Shows only the first of several identical messages from a sender.
  void told(const vrrp::DatagramReceived& event) {
    const auto decoded =
        vrrp::decode({event.source, event.destination, event.hop_limit, event.payload, event.truncated});
    if (!decoded) return;
    const vrrp::RouterKey key{event.interface, decoded->vrid, event.source.family};
    auto& before = heard_[{key, event.source}];
    const std::pair now{decoded->priority, decoded->interval};
    if (before == now) return;
    before = now;
    say("", fmt::format("> {} advertises priority {} every {} ({})", to_string(event.source),
                        decoded->priority, vipd::to_string(Duration(decoded->interval)), who(key)));
  }

  // --- actions of the engine ---
  void show(const vrrp::SendAdvertisement& send) {
    const auto interval = intervals_[send.router];
    auto& last = sent_[send.router];
    const bool regular = last && last->first == send.priority && now_ - last->second >= interval * 9 / 10;
    last = {send.priority, now_};
    if (!regular) add(who(send.router), fmt::format("advertises {}", send.priority));
  }
  void show(const vrrp::Put& each) { add(who(each.router), "adds " + to_string(each.resource)); }
  void show(const vrrp::Drop& each) { add(who(each.router), "removes " + to_string(each.resource)); }
  void show(const vrrp::Renew&) {}
  void show(const vrrp::Announce&) {}
  void show(const vrrp::Probe&) {}
  void show(const vrrp::IdentifySender&) {}
  void show(const vrrp::AdvertisementDiscarded& each) {
    if (discards_told_.insert({each.source, each.error}).second)
      say("",
          fmt::format("> discarded a message from {}: {}", to_string(each.source), to_string(each.error)));
    open_ = false;
  }
  void show(const vrrp::Noted& each) {
    say(who(each.router), fmt::format("[{}] {}", each.event, each.text));
    open_ = false;
  }
  void show(const vrrp::StateChanged& each) {
    const auto name = who(each.router);
    sent_[each.router].reset();
    say(name, fmt::format("{} -> {}: {}", to_string(each.from), to_string(each.to), each.reason));
    // Skips the first sentence, which repeats the line above.
    if (const auto status = status_of(each.router)) {
      const auto sentences = vrrp::explain(*status, now_);
      for (std::size_t i = 1; i < sentences.size(); ++i) say(name, "| " + sentences[i]);
    }
    open_ = false;
  }

  std::optional<vrrp::RouterStatus> status_of(const vrrp::RouterKey& key) const {
    for (auto& router : engine_.status(now_).routers)
      if (router.config.key == key) return router;
    return std::nullopt;
  }

  vrrp::Engine engine_;
  TimePoint begin_{};
  TimePoint now_{};
  bool open_ = false;
  std::vector<Happening> happenings_;
  std::map<vrrp::RouterKey, std::string> names_;
  std::map<vrrp::RouterKey, Duration> intervals_;
  std::map<std::string, std::string> interfaces_;
  std::map<std::pair<vrrp::RouterKey, IpAddress>, std::pair<vrrp::Priority, Centiseconds>> heard_;
  std::map<vrrp::RouterKey, std::optional<std::pair<vrrp::Priority, TimePoint>>> sent_;
  std::set<std::pair<IpAddress, MacAddress>> claims_told_;
  std::set<std::pair<IpAddress, vrrp::DecodeError>> discards_told_;
};

}  // namespace

std::vector<Happening> replay(const Recording& recording) {
  return Replayer().run(recording);
}

std::string to_text(const std::vector<Happening>& happenings) {
  std::string text;
  for (const auto& each : happenings)
    text +=
        fmt::format("{:>8} {}{}{}\n", fmt::format("{:.3f}", std::chrono::duration<double>(each.when).count()),
                    each.who, each.who.empty() ? "" : " ", each.text);
  return text;
}

}  // namespace vipd::record
