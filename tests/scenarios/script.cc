#include "tests/scenarios/script.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <functional>
#include <sstream>

#include "record/replay.h"
#include "tests/scenarios/lan.h"

namespace vipd::scenarios {

namespace {
using Words = std::vector<std::string>;
using Options = std::vector<std::pair<std::string, std::string>>;

Words split(const std::string& text, char separator) {
  Words words;
  std::istringstream stream(text);
  for (std::string word; std::getline(stream, word, separator);)
    if (!word.empty()) words.push_back(word);
  return words;
}

Result<int> number(const std::string& text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc{} || end != text.data() + text.size())
    return failure("\"" + text + "\" is no number");
  return value;
}

Result<bool> boolean(const std::string& text) {
  if (text != "true" && text != "false") return failure("\"" + text + "\" is neither true nor false");
  return text == "true";
}

Result<vrrp::ChecksumMode> checksum_mode(const std::string& text) {
  if (text == "auto") return vrrp::ChecksumMode::automatic;
  if (text == "rfc9568") return vrrp::ChecksumMode::rfc9568;
  if (text == "pseudo_header") return vrrp::ChecksumMode::pseudo_header;
  return failure("\"" + text + "\" is no form of checksum");
}

Options options(const Words& words, std::size_t from) {
  Options result;
  for (auto i = from; i < words.size(); ++i) {
    const auto equals = words[i].find('=');
    result.emplace_back(words[i].substr(0, equals),
                        equals == std::string::npos ? "" : words[i].substr(equals + 1));
  }
  return result;
}

std::string option(const Options& all, const std::string& key, const std::string& otherwise) {
  for (const auto& [name, value] : all)
    if (name == key) return value;
  return otherwise;
}

class Player {
 public:
  Result<std::string> play(const std::string& script);

 private:
  using Command = std::function<Result<>(const Words&)>;
  Result<> perform(const std::string& line);
  Result<> router(const Words& words, bool plain);
  Result<> set(vrrp::VirtualRouterConfig& config, const std::string& key, const std::string& value);
  Result<> describe(Lan::Node& node, const Options& options);
  Result<> run(const Words& words);
  Result<> reload(const Words& words);
  Result<> check(const Words& words);
  Result<> link(const Words& words);
  Result<> host(const Words& words);
  Result<> advert(const Words& words);
  Result<> send(const Words& words);
  Result<> for_each_node(const Words& words, const std::function<void(Lan::Node&)>& action);
  Result<Lan::Node*> node(const Words& words);
  Result<Prefix> prefix(const Words& words);

  Lan lan_;
};

Result<std::string> Player::play(const std::string& script) {
  std::istringstream lines(script);
  int number = 0;
  for (std::string line; std::getline(lines, line);) {
    ++number;
    for (const auto& part : split(line.substr(0, line.find('#')), ';'))
      if (const auto done = perform(part); !done)
        return failure(fmt::format("line {}: {}: {}", number, part, done.error().message));
  }
  lan_.summary();
  return lan_.timeline().text();
}

Result<> Player::perform(const std::string& line) {
  const auto words = split(line, ' ');
  if (words.empty()) return {};
  const auto& verb = words[0];
  const std::map<std::string, Command> quiet{
      {"router", [this](const Words& w) { return router(w, false); }},
      {"plain", [this](const Words& w) { return router(w, true); }},
      {"host", [this](const Words& w) { return host(w); }},
      {"run", [this](const Words& w) { return run(w); }},
      {"show",
       [this](const Words& w) -> Result<> {
         for (const auto& what : w) {
           lan_.show.adverts |= what == "adverts";
           lan_.show.announcements |= what == "announcements";
           lan_.show.renewals |= what == "renewals";
           lan_.show.discards |= what == "discards";
           lan_.show.checksums |= what == "checksums";
         }
         return {};
       }},
      {"latency",
       [this](const Words& w) -> Result<> {
         lan_.latency = TRY(parse_duration(w.at(1)));
         return {};
       }},
      {"status",
       [this](const Words& w) { return for_each_node(w, [this](auto& n) { lan_.status(n.name); }); }},
      {"explain",
       [this](const Words& w) { return for_each_node(w, [this](auto& n) { lan_.explain(n.name); }); }},
  };
  if (const auto found = quiet.find(verb); found != quiet.end()) return found->second(words);

  const std::map<std::string, Command> told{
      {"start",
       [this](const Words& w) {
         return for_each_node(w, [this](auto& n) {
           if (!n.alive()) lan_.start(n);
         });
       }},
      {"stop", [this](const Words& w) { return for_each_node(w, [this](auto& n) { lan_.stop(n); }); }},
      {"kill", [this](const Words& w) { return for_each_node(w, [this](auto& n) { lan_.kill(n); }); }},
      {"restart",
       [this](const Words& w) -> Result<> {
         auto* of = TRY(node(w));
         lan_.start(*of, w.size() > 2 && w[2] == "adopt");
         return {};
       }},
      {"cut", [this](const Words& w) { return for_each_node(w, [](auto& n) { n.cut = true; }); }},
      {"mute", [this](const Words& w) { return for_each_node(w, [](auto& n) { n.mute = true; }); }},
      {"deaf", [this](const Words& w) { return for_each_node(w, [](auto& n) { n.deaf = true; }); }},
      {"heal",
       [this](const Words& w) { return for_each_node(w, [](auto& n) { n.cut = n.mute = n.deaf = false; }); }},
      {"filter",
       [this](const Words& w) -> Result<> {
         lan_.filtered.reset();
         if (w.at(1) == "ipv4") lan_.filtered = Family::ipv4;
         if (w.at(1) == "ipv6") lan_.filtered = Family::ipv6;
         return {};
       }},
      {"lose",
       [this](const Words& w) -> Result<> {
         auto* of = TRY(node(w));
         of->lose = w.size() > 2 ? TRY(number(w[2])) : 1;
         return {};
       }},
      {"freeze",
       [this](const Words& w) -> Result<> {
         auto* of = TRY(node(w));
         lan_.sleep(*of, TRY(parse_duration(w.at(2))), false);
         return {};
       }},
      {"suspend",
       [this](const Words& w) -> Result<> {
         auto* of = TRY(node(w));
         lan_.sleep(*of, TRY(parse_duration(w.at(2))), true);
         return {};
       }},
      {"check", [this](const Words& w) { return check(w); }},
      {"link", [this](const Words& w) { return link(w); }},
      {"remove-address",
       [this](const Words& w) -> Result<> {
         lan_.remove_address(*TRY(node(w)), TRY(prefix(w)));
         return {};
       }},
      {"add-address",
       [this](const Words& w) -> Result<> {
         lan_.add_address(*TRY(node(w)), TRY(prefix(w)));
         return {};
       }},
      {"refuse",
       [this](const Words& w) -> Result<> {
         TRY(node(w))->refused.insert(TRY(prefix(w)));
         return {};
       }},
      {"allow",
       [this](const Words& w) -> Result<> {
         TRY(node(w))->refused.clear();
         return {};
       }},
      {"priority",
       [this](const Words& w) -> Result<> {
         lan_.plain_priority(*TRY(node(w)), static_cast<vrrp::Priority>(TRY(number(w.at(2)))));
         return {};
       }},
      {"switch",
       [this](const Words& w) -> Result<> {
         lan_.event(*TRY(node(w)), vrrp::SwitchRequested{w.size() > 2 ? w[2] : "edge"});
         return {};
       }},
      {"switch-back",
       [this](const Words& w) -> Result<> {
         lan_.event(*TRY(node(w)), vrrp::SwitchBackRequested{w.size() > 2 ? w[2] : "edge"});
         return {};
       }},
      {"reload", [this](const Words& w) { return reload(w); }},
      {"drop",
       [this](const Words& w) -> Result<> {
         auto* of = TRY(node(w));
         of->entries.erase(w.at(2));
         lan_.reload(*of);
         return {};
       }},
      {"rogue",
       [this](const Words& w) -> Result<> {
         const auto mac = w.size() > 2 && w[2] != "none" ? TRY(MacAddress::parse(w[2])) : MacAddress{};
         lan_.rogue(TRY(IpAddress::parse(w.at(1))), mac);
         return {};
       }},
      {"advert", [this](const Words& w) { return advert(w); }},
      {"send", [this](const Words& w) { return send(w); }},
  };
  const auto found = told.find(verb);
  if (found == told.end()) return failure("no such command");
  lan_.timeline().say(lan_.now(), "", fmt::format("> {}", line.substr(line.find_first_not_of(' '))));
  auto done = found->second(words);
  lan_.measure();
  return done;
}

Result<Lan::Node*> Player::node(const Words& words) {
  if (words.size() < 2 || !lan_.has_node(words[1])) return failure("which node?");
  return &lan_.node(words[1]);
}

Result<Prefix> Player::prefix(const Words& words) {
  return Prefix::parse(words.at(2));
}

// No names: every node.
Result<> Player::for_each_node(const Words& words, const std::function<void(Lan::Node&)>& action) {
  const Words names = words.size() > 1 ? Words(words.begin() + 1, words.end()) : lan_.names();
  for (const auto& name : names) {
    if (!lan_.has_node(name)) return failure("there is no node " + name);
    action(lan_.node(name));
  }
  return {};
}

Result<> Player::router(const Words& words, bool plain) {
  auto& node = lan_.node(words.at(1));
  node.plain = plain;
  return describe(node, options(words, 2));
}

// Makes an entry or changes it: one virtual router for each family among its addresses.
Result<> Player::describe(Lan::Node& node, const Options& options) {
  const auto name = option(options, "name", "edge");
  auto& entry = node.entries[name];
  vrrp::VirtualRouterConfig common = entry.empty() ? vrrp::VirtualRouterConfig{} : entry.front();
  common.name = name;
  common.key.interface = "eth0";
  if (entry.empty()) common.key.vrid = 51;
  std::vector<Prefix> addresses;
  for (const auto& router : entry)
    addresses.insert(addresses.end(), router.addresses.begin(), router.addresses.end());
  for (const auto& [key, value] : options) {
    if (key == "name") continue;
    if (key == "address") {
      addresses.clear();
      for (const auto& text : split(value, ',')) addresses.push_back(TRY(Prefix::parse(text)));
    } else {
      TRY_VOID(set(common, key, value));
    }
  }
  entry.clear();
  for (const auto family : {Family::ipv4, Family::ipv6}) {
    auto config = common;
    config.key.family = family;
    config.addresses.clear();
    for (const auto& each : addresses)
      if (each.address.family == family) config.addresses.push_back(each);
    if (!config.addresses.empty()) entry.push_back(config);
  }
  if (entry.empty()) return failure("no address");
  return {};
}

Result<> Player::set(vrrp::VirtualRouterConfig& config, const std::string& key, const std::string& value) {
  if (key == "priority") {
    config.priority = static_cast<vrrp::Priority>(TRY(number(value)));
  } else if (key == "interval") {
    config.advertisement_interval = std::chrono::duration_cast<Centiseconds>(TRY(parse_duration(value)));
  } else if (key == "max_adopted_interval") {
    config.max_adopted_interval = TRY(parse_duration(value));
  } else if (key == "vrid") {
    config.key.vrid = static_cast<vrrp::Vrid>(TRY(number(value)));
  } else if (key == "preempt_mode") {
    config.preempt_mode = TRY(boolean(value));
  } else if (key == "checksum") {
    config.checksum = TRY(checksum_mode(value));
  } else if (key == "dead_man") {
    config.dead_man = TRY(parse_duration(value));
  } else if (key == "repeat") {
    config.announce.repeat = TRY(number(value));
  } else if (key == "refresh") {
    config.announce.refresh = TRY(parse_duration(value));
  } else if (key == "check") {
    config.checks.clear();
    for (const auto& text : split(value, ',')) {
      const auto parts = split(text, ':');
      vrrp::TrackedCheck check{parts.at(0), 0, false};
      if (parts.size() < 2) return failure("check=NAME:-60 or check=NAME:initialize");
      check.initialize = parts[1] == "initialize";
      if (!check.initialize) check.priority = TRY(number(parts[1]));
      config.checks.push_back(check);
    }
  } else {
    return failure("no such option: " + key);
  }
  return {};
}

Result<> Player::run(const Words& words) {
  if (words.size() == 3 && words[1] == "to") {
    lan_.run_until(lan_.start_time() + TRY(parse_duration(words[2])));
    return {};
  }
  if (words.size() != 2) return failure("run 1s, or run to 4s");
  lan_.run_until(lan_.now() + TRY(parse_duration(words[1])));
  return {};
}

Result<> Player::reload(const Words& words) {
  auto* of = TRY(node(words));
  TRY_VOID(describe(*of, options(words, 2)));
  lan_.reload(*of);
  return {};
}

// check NODE NAME up|down|none|NUMBER [why]: a number is a script's printed weight
Result<> Player::check(const Words& words) {
  auto* of = TRY(node(words));
  if (words.size() < 4) return failure("check NODE NAME up|down|none|NUMBER");
  const auto& what = words[3];
  auto& fact = of->checks[words[2]];
  if (what == "none") {
    fact.reset();
    return {};
  }
  fact = vrrp::CheckFact{
      words[2], what != "down", {}, what == "down" ? "connection refused" : "200 OK", lan_.now()};
  if (what != "up" && what != "down") {
    fact->priority = TRY(number(what));
    fact->detail = "exit code 0";
  }
  lan_.check(*of, words[2]);
  return {};
}

// link NODE down|up|no-carrier|gone|back|renewed|tentative|usable
Result<> Player::link(const Words& words) {
  auto* of = TRY(node(words));
  const auto what = words.size() > 2 ? words[2] : "";
  auto& link = of->link;
  const auto of_its_own = [&](const InterfaceAddress& each) { return !each.ours; };
  if (what == "down" || what == "up") {
    link.up = link.running = what == "up";
  } else if (what == "no-carrier") {
    link.running = false;
  } else if (what == "carrier") {
    link.running = true;
  } else if (what == "gone") {
    std::erase_if(link.addresses, [&](const auto& each) { return each.ours; });
    of->expires.clear();
    auto gone = Interface{.name = link.name};
    lan_.event(*of, vrrp::InterfaceChanged{gone});
    return {};
  } else if (what == "back" || what == "renewed") {
    std::erase_if(link.addresses, [&](const auto& each) { return each.ours; });
    of->expires.clear();
    ++link.index;
  } else if (what == "tentative" || what == "usable") {
    for (auto& each : link.addresses)
      if (each.prefix.address.is_link_local() && of_its_own(each)) each.tentative = what == "tentative";
  } else {
    return failure("link NODE down|up|no-carrier|carrier|gone|back|renewed|tentative|usable");
  }
  lan_.link_changed(*of);
  return {};
}

// host NODE ADDRESS,...: its own addresses, in place of 192.0.2.N/24 and fe80::N/64
Result<> Player::host(const Words& words) {
  auto& of = lan_.node(words.at(1));
  std::erase_if(of.link.addresses, [](const auto& each) { return !each.ours; });
  std::vector<InterfaceAddress> addresses;
  if (words.size() > 2 && words[2] != "none")
    for (const auto& text : split(words[2], ',')) addresses.push_back({TRY(Prefix::parse(text))});
  of.link.addresses.insert(of.link.addresses.begin(), addresses.begin(), addresses.end());
  if (of.engine) {
    lan_.timeline().say(lan_.now(), "", fmt::format("> host {} {}", words[1], words[2]));
    lan_.link_changed(of);
  }
  return {};
}

// advert SOURCE [priority=] [interval=] [address=] [vrid=] [checksum=] [hop=] [to=]: a well-formed message
Result<> Player::advert(const Words& words) {
  const auto source = TRY(IpAddress::parse(words.at(1)));
  const auto given = options(words, 2);
  vrrp::Advertisement advertisement;
  advertisement.vrid = static_cast<vrrp::Vrid>(TRY(number(option(given, "vrid", "51"))));
  advertisement.priority = static_cast<vrrp::Priority>(TRY(number(option(given, "priority", "100"))));
  advertisement.interval =
      std::chrono::duration_cast<Centiseconds>(TRY(parse_duration(option(given, "interval", "1s"))));
  for (const auto& text : split(option(given, "address", "192.0.2.10"), ','))
    advertisement.addresses.push_back(TRY(IpAddress::parse(text)));
  advertisement.checksum = option(given, "checksum", "pseudo_header") == "rfc9568"
                               ? vrrp::ChecksumForm::rfc9568
                               : vrrp::ChecksumForm::pseudo_header;
  lan_.send(option(given, "to", ""), source, TRY(number(option(given, "hop", "255"))),
            vrrp::encode(advertisement, source, vrrp::multicast_group(source.family)));
  return {};
}

// send SOURCE HEX [hop=] [to=]: any bytes
Result<> Player::send(const Words& words) {
  const auto source = TRY(IpAddress::parse(words.at(1)));
  std::vector<std::uint8_t> message;
  const auto& hex = words.at(2);
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2)
    message.push_back(static_cast<std::uint8_t>(std::stoi(hex.substr(i, 2), nullptr, 16)));
  const auto given = options(words, 3);
  lan_.send(option(given, "to", ""), source, TRY(number(option(given, "hop", "255"))), message);
  return {};
}
}  // namespace

Result<std::string> play(const std::string& script) {
  if (record::is_recording(script)) return record::to_text(record::replay(TRY(record::parse(script))));
  return Player().play(script);
}

}  // namespace vipd::scenarios
