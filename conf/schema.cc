#include "conf/schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <utility>

#include "base/time.h"
#include "conf/address_rules.h"
#include "conf/events_schema.h"
#include "conf/hooks_schema.h"
#include "conf/metrics_schema.h"
#include "conf/words.h"
#include "health/check_settings.h"

namespace vipd::conf {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_name = 32;
constexpr std::size_t longest_interface = 15;  // IFNAMSIZ with its zero
constexpr std::size_t most_addresses =
    255;  // per family: Count IPvX Addr is an octet (RFC 9568 section 5.2.5)
constexpr std::size_t most_unfragmented_ipv6 = 90;  // (1500 - 40 - 8) / 16
constexpr Duration least_dead_man = 2s;
constexpr Duration most_dead_man = 1h;
constexpr Duration least_refresh = 1s;
constexpr Duration most_refresh = 24h;
constexpr int most_repeats = 20;

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= longest_name && std::all_of(text.begin(), text.end(), [](char each) {
    return (each >= 'a' && each <= 'z') || (each >= 'A' && each <= 'Z') || (each >= '0' && each <= '9') ||
           each == '_' || each == '-';
  });
}

// What the kernel accepts (dev_valid_name), in printable ASCII.
bool is_interface_name(std::string_view text) {
  if (text.empty() || text.size() > longest_interface || text == "." || text == "..") return false;
  return std::all_of(text.begin(), text.end(),
                     [](char each) { return each > ' ' && each < 0x7f && each != '/' && each != ':'; });
}

std::string listed(const std::vector<std::string>& words, std::size_t most) {
  std::string text;
  const auto shown = std::min(words.size(), most);
  for (std::size_t i = 0; i < shown; ++i) {
    if (i > 0) text += i + 1 == words.size() ? " and " : ", ";
    text += words[i];
  }
  if (shown < words.size()) text += fmt::format(" and {} more", words.size() - shown);
  return text;
}

class Schema {
 public:
  explicit Schema(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Config read(const Node& root) {
    if (root.type == Node::Type::null) {
      diagnostics_.error({1, 1, 1}, "nothing is configured here",
                         "begin with \"virtual_routers:\", see vipd.yaml(5)");
      return {};
    }
    Reader reader(root, diagnostics_, "the configuration");
    if (!reader.has("virtual_router") && !reader.has("vrrp_instance")) reader.required("virtual_routers");
    reader.child("nodes");  // conf/assemble has dealt with them
    reader.child("vars");
    if (const Node* const routers = reader.child("virtual_routers")) read_routers(*routers);
    if (const Node* const servers = reader.child("virtual_servers")) read_servers(*servers);
    config_.events = read_events(reader);
    config_.metrics = read_metrics(reader);
    config_.hooks = read_hooks(reader);
    refuse_top_words(reader);
    reader.finish();
    return std::move(config_);
  }

 private:
  // A value that no two entries may have: who had it first, and where.
  struct Claim {
    std::string owner;
    Place place;
  };

  // Calls each(name, what, node) for the entries of a map of names.
  template <class Each>
  void for_names(const Node& map, const std::string& what, const std::string& what_entry, Each each) {
    const Reader shape(map, diagnostics_, what);  // reports what is no map
    if (map.type == Node::Type::map && map.entries.empty())
      diagnostics_.error(map.place, what + " is empty", "write NAME: and its keys");
    for (const auto& entry : map.entries) {
      if (is_name(entry.key))
        each(entry.key, entry.key_place, entry.value);
      else
        diagnostics_.error(entry.key_place,
                           fmt::format("{} cannot be the name of a {}", quote(entry.key), what_entry),
                           fmt::format("use 1 to {} letters, digits, \"_\" or \"-\"", longest_name));
    }
  }

  // --- virtual_routers

  void read_routers(const Node& node) {
    for (const auto& entry : node.entries) router_names_.push_back(entry.key);
    for_names(node, "virtual_routers", "virtual router", [this](const auto& name, Place, const Node& value) {
      config_.virtual_routers.push_back(read_router(name, value));
    });
  }

  RouterEntry read_router(const std::string& name, const Node& node) {
    Reader reader(node, diagnostics_, "virtual router " + name);
    RouterEntry router;
    router.name = name;
    read_interface(reader, router);
    // One complaint is enough, here and below: what another program calls it is reported with the right word.
    if (!reader.has("virtual_router_id") && !reader.has("router_id")) reader.required("vrid");
    router.vrid = static_cast<vrrp::Vrid>(reader.integer("vrid", 1, 255).value_or(0));
    router.priority =
        static_cast<vrrp::Priority>(reader.integer("priority", 1, 255).value_or(vrrp::default_priority));
    read_max_adopted_interval(reader, router, read_advertisement_interval(reader, router));
    router.preempt_mode = reader.boolean("preempt_mode").value_or(true);
    read_accept_mode(reader);
    router.checksum = reader.choice<vrrp::ChecksumMode>("checksum", checksum_modes).value_or(router.checksum);
    bool addresses_good = read_addresses(reader, router);
    read_link_local(reader, router, addresses_good);
    for (const auto family : {Family::ipv4, Family::ipv6})
      addresses_good &= check_count(reader, router, family);
    router.dead_man =
        duration_or_off(reader, "dead_man", least_dead_man, most_dead_man).value_or(router.dead_man);
    if (router.dead_man % 1s != 0s)  // the kernel counts valid_lft in seconds
      reader.error("dead_man",
                   fmt::format("dead_man is {}, it must be whole seconds", vipd::to_string(router.dead_man)));
    router.lease = reader.choice<bool>("lease", lease_modes).value_or(router.lease);
    read_announce(reader, router);
    refuse_router_words(reader);
    router.checks = read_checks(reader, name, router.priority);
    router.hooks = read_hooks(reader);
    reader.finish();
    warn_about_owner(reader, router);
    claim_vrid(reader, router);
    if (!addresses_good) routers_with_bad_addresses_.insert(name);
    return router;
  }

  void read_interface(Reader& reader, RouterEntry& router) {
    reader.required("interface");
    const auto text = reader.text("interface");
    if (!text) return;
    if (!is_interface_name(*text))
      reader.error("interface", fmt::format("interface is {}, which cannot be the name of one", quote(*text)),
                   fmt::format("it has 1 to {} characters, no space, \"/\" or \":\"", longest_interface));
    router.interface = *text;
  }

  // Whether it is good.
  bool read_advertisement_interval(Reader& reader, RouterEntry& router) {
    const auto interval = reader.duration("advertisement_interval", vrrp::shortest_advertisement_interval,
                                          vrrp::longest_advertisement_interval);
    if (!interval) return !reader.has("advertisement_interval");
    router.advertisement_interval = std::chrono::duration_cast<Centiseconds>(*interval);
    if (router.advertisement_interval == *interval) return true;
    // VRRPv3 has 12 bits of centiseconds (RFC 9568 section 5.2.7).
    reader.error("advertisement_interval",
                 fmt::format("advertisement_interval is {}, it must be a multiple of 10ms",
                             vipd::to_string(*interval)),
                 fmt::format("write {}", vipd::to_string(router.advertisement_interval)));
    return false;
  }

  void read_max_adopted_interval(Reader& reader, RouterEntry& router, bool own_is_good) {
    const auto own = router.advertisement_interval;
    const auto interval = reader.duration("max_adopted_interval", vrrp::shortest_advertisement_interval,
                                          vrrp::longest_advertisement_interval);
    router.max_adopted_interval = interval.value_or(vrrp::default_max_adopted_interval(own));
    if (router.max_adopted_interval >= own || !own_is_good) return;
    reader.error("max_adopted_interval",
                 fmt::format("max_adopted_interval is {}, less than the own advertisement_interval, {}",
                             vipd::to_string(*interval), vipd::to_string(own)),
                 fmt::format("leave it out for the default, {}",
                             vipd::to_string(vrrp::default_max_adopted_interval(own))));
  }

  void read_accept_mode(Reader& reader) {
    if (reader.boolean("accept_mode").value_or(true)) return;
    reader.error("accept_mode", "accept_mode: false cannot be used yet",
                 "it needs firewall rules, which come later");
  }

  // Whether all of them are good: what is said about the others would mislead if one is missing.
  bool read_addresses(Reader& reader, RouterEntry& router) {
    if (!reader.has("virtual_ipaddress") && !reader.has("virtual_ipaddress_excluded"))
      reader.required("addresses");
    const Node* const node = reader.child("addresses");
    if (!node) return false;
    if (node->type == Node::Type::scalar) return read_address(*node, router);
    if (node->type != Node::Type::sequence || node->items.empty()) {
      reader.error("addresses", "addresses must be a list of at least one address",
                   "write addresses: [192.0.2.10/24], with an address that clients use");
      return false;
    }
    bool good = true;
    for (const auto& item : node->items) good &= read_address(item, router);
    return good;
  }

  bool read_address(const Node& node, RouterEntry& router) {
    if (node.type != Node::Type::scalar) {
      diagnostics_.error(node.place, "an address must be a single value", "write 192.0.2.10/24");
      return false;
    }
    const auto prefix = Prefix::parse(node.scalar);
    if (!prefix) {
      diagnostics_.error(node.place, prefix.error().message, remedy_for_address(node.scalar));
      return false;
    }
    if (const auto trouble = trouble_with(*prefix); !trouble.empty()) {
      diagnostics_.error(node.place, fmt::format("{} is {}", node.scalar, trouble),
                         "a virtual address is one that a single node could have");
      return false;
    }
    if (!claim_address(*prefix, router, node.place)) return false;
    router.addresses.push_back(*prefix);
    return true;
  }

  bool claim_address(const Prefix& prefix, const RouterEntry& router, Place place) {
    // Link-local addresses are one link's own.
    const auto link = prefix.address.is_link_local() ? router.interface : std::string{};
    const auto [first, is_new] = addresses_.try_emplace({link, prefix.address}, Claim{router.name, place});
    if (is_new) return true;
    const auto& owner = first->second.owner;
    const auto where = diagnostics_.where(first->second.place, place);
    const auto text = to_string(prefix.address);
    if (owner == router.name)
      diagnostics_.error(place, fmt::format("{} is here twice, first in {}", text, where),
                         "remove one of them");
    else
      diagnostics_.error(place,
                         fmt::format("{} belongs to virtual router {} already, in {}", text, owner, where),
                         "one virtual router must be in charge of an address");
    return false;
  }

  // The link-local address that is derived is advertised in front of the listed ones.
  bool check_count(Reader& reader, const RouterEntry& router, Family family) {
    std::size_t count = 0;
    bool begins_with_link_local = false;
    for (const auto& each : router.addresses)
      if (each.address.family == family && ++count == 1)
        begins_with_link_local = each.address.is_link_local();
    const bool derived = family == Family::ipv6 && router.link_local == LinkLocal::derive && count > 0 &&
                         !begins_with_link_local;
    if (derived) ++count;
    const auto* const with_derived = derived ? " (the derived link-local one counts)" : "";
    if (count > most_addresses) {
      reader.error("addresses",
                   fmt::format("addresses has {} {} addresses{}, one advertisement carries up to {}", count,
                               to_string(family), with_derived, most_addresses),
                   "make two virtual routers of them");
      return false;
    }
    if (family == Family::ipv6 && count > most_unfragmented_ipv6)
      warn(reader, "addresses",
           fmt::format("an advertisement of {} IPv6 addresses{} has {} octets, Ethernet carries 1500", count,
                       with_derived, 40 + 8 + 16 * count),
           fmt::format("list up to {}, or see to it that the interface has a larger MTU on all nodes",
                       most_unfragmented_ipv6 - (derived ? 1 : 0)));
    return true;
  }

  void read_link_local(Reader& reader, RouterEntry& router, bool addresses_good) {
    static constexpr std::array<Reader::Choice<LinkLocal>, 2> choices{
        {{"derive", LinkLocal::derive}, {"none", LinkLocal::none}}};
    router.link_local = reader.choice<LinkLocal>("link_local", choices).value_or(LinkLocal::none);
    if (!addresses_good) return;
    const auto is_ipv6 = [](const Prefix& each) { return each.address.family == Family::ipv6; };
    const auto first = std::find_if(router.addresses.begin(), router.addresses.end(), is_ipv6);
    const bool derive = router.link_local == LinkLocal::derive;
    if (first == router.addresses.end()) {
      if (derive)
        warn(reader, "link_local", "link_local has no effect: no IPv6 address is listed", "remove it");
    } else if (first->address.is_link_local()) {
      if (derive)
        warn(reader, "link_local", "link_local has no effect: the list begins with a link-local address",
             "remove it");
    } else if (derive) {
      return;
    } else if (std::any_of(router.addresses.begin(), router.addresses.end(), [&](const Prefix& each) {
                 return is_ipv6(each) && each.address.is_link_local();
               })) {
      warn(reader, "addresses",
           "the first IPv6 address should be the link-local one (RFC 9568 section 5.2.9)",
           "put it in front of the other IPv6 addresses");
    } else if (!reader.has("link_local")) {
      warn(reader, "addresses",
           "the IPv6 addresses do not begin with a link-local one, as RFC 9568 section 5.2.9 wants it",
           "write link_local: derive on all nodes, or link_local: none to leave it so");
    }
  }

  void read_announce(Reader& router_reader, RouterEntry& router) {
    const Node* const node = router_reader.child("announce");
    if (!node) return;
    Reader reader(*node, diagnostics_, "announce of " + router_reader.what());
    router.announce.repeat =
        static_cast<int>(reader.integer("repeat", 1, most_repeats).value_or(router.announce.repeat));
    router.announce.refresh =
        duration_or_off(reader, "refresh", least_refresh, most_refresh).value_or(router.announce.refresh);
    reader.finish();
  }

  // The address owner has priority 255 and always preempts (RFC 9568 sections 5.2.4 and 6.1).
  void warn_about_owner(Reader& reader, const RouterEntry& router) {
    if (router.priority == vrrp::owner_priority && !router.preempt_mode)
      warn(reader, "preempt_mode",
           "preempt_mode: false has no effect: priority 255 is the address owner, who always preempts",
           "write a priority below 255, unless the addresses are configured on the interface of this node");
  }

  void claim_vrid(Reader& reader, const RouterEntry& router) {
    if (router.vrid == 0 || router.interface.empty()) return;
    const Node* const vrid = reader.node().find("vrid");
    std::vector<std::string> families;
    Claim earlier;
    for (const auto family : {Family::ipv4, Family::ipv6}) {
      const bool used = std::any_of(router.addresses.begin(), router.addresses.end(),
                                    [family](const Prefix& each) { return each.address.family == family; });
      if (!used) continue;
      const vrrp::RouterKey key{router.interface, router.vrid, family};
      const auto [first, is_new] = vrids_.try_emplace(key, Claim{router.name, vrid->place});
      if (is_new) continue;
      families.emplace_back(to_string(family));
      earlier = first->second;
    }
    if (families.empty()) return;
    diagnostics_.error(vrid->place,
                       fmt::format("VRID {} on {} ({}) belongs to virtual router {} already, in {}",
                                   router.vrid, router.interface, listed(families, 2), earlier.owner,
                                   diagnostics_.where(earlier.place, vrid->place)),
                       "give each virtual router on a link a VRID of its own");
  }

  // --- virtual_servers

  void read_servers(const Node& node) {
    for_names(node, "virtual_servers", "virtual server", [this](const auto& name, Place, const Node& value) {
      config_.virtual_servers.push_back(read_server(name, value));
    });
  }

  ServerEntry read_server(const std::string& name, const Node& node) {
    Reader reader(node, diagnostics_, "virtual server " + name);
    ServerEntry server;
    server.name = name;
    const RouterEntry* const router = read_router_of(reader, server);
    if (!reader.has("addresses")) reader.required("listen");
    if (const Node* const listen = reader.child("listen")) read_listen(*listen, router, server);
    read_forward(reader);
    refuse_server_words(reader);
    server.checks = read_checks(reader, name, router ? router->priority : vrrp::default_priority);
    reader.finish();
    return server;
  }

  // The virtual router that the server names, if it is there and good enough to be compared with.
  const RouterEntry* read_router_of(Reader& reader, ServerEntry& server) {
    if (!reader.has("virtual_router")) reader.required("router");
    const auto name = reader.text("router");
    if (!name) return nullptr;
    server.router = *name;
    for (const auto& router : config_.virtual_routers)
      if (router.name == *name) return &router;
    if (std::find(router_names_.begin(), router_names_.end(), *name) != router_names_.end()) return nullptr;
    if (router_names_.empty()) return nullptr;  // that is what has been told
    auto remedy = did_you_mean(*name, router_names_);
    if (remedy.empty()) remedy = "there is " + listed(quoted(router_names_), 5);
    reader.error("router", "there is no virtual router " + quote(*name), remedy);
    return nullptr;
  }

  static std::vector<std::string> quoted(const std::vector<std::string>& words) {
    std::vector<std::string> quoted;
    for (const auto& word : words) quoted.push_back(quote(word));
    return quoted;
  }

  void read_listen(const Node& node, const RouterEntry* router, ServerEntry& server) {
    if (node.type == Node::Type::scalar) {
      read_listener(node, router, server);
    } else if (node.type == Node::Type::sequence && !node.items.empty()) {
      for (const auto& item : node.items) read_listener(item, router, server);
    } else {
      diagnostics_.error(node.place, "listen must be a list of at least one \"ADDRESS:PORT\"",
                         "write listen: [192.0.2.10:80], with an address of the virtual router");
    }
  }

  void read_listener(const Node& node, const RouterEntry* router, ServerEntry& server) {
    if (node.type != Node::Type::scalar) {
      diagnostics_.error(node.place, "an item of listen must be a single value",
                         "write 192.0.2.10:80 or, in quotes, \"[2001:db8::10]:80\"");
      return;
    }
    const auto listener = parse_listener(node.scalar);
    if (!listener) {
      diagnostics_.error(node.place, quote(node.scalar) + " is not an address with a port",
                         listener.error().message);
      return;
    }
    if (router && !routers_with_bad_addresses_.contains(router->name))
      check_listener(*listener, *router, node.place);
    const auto [first, is_new] = listeners_.try_emplace(*listener, Claim{server.name, node.place});
    if (is_new)
      server.listen.push_back(*listener);
    else
      diagnostics_.error(
          node.place,
          fmt::format("{} belongs to virtual server {} already, in {}", to_string(*listener),
                      first->second.owner, diagnostics_.where(first->second.place, node.place)),
          "remove one of them");
  }

  void check_listener(const Listener& listener, const RouterEntry& router, Place place) {
    std::vector<std::string> addresses;
    for (const auto& each : router.addresses) {
      if (each.address == listener.address) return;
      addresses.push_back(to_string(each.address));
    }
    std::string remedy = "it has " + listed(addresses, 5);
    for (const auto& other : config_.virtual_routers)
      for (const auto& each : other.addresses)
        if (each.address == listener.address) remedy += "; virtual router " + other.name + " has that one";
    diagnostics_.error(
        place,
        fmt::format("{} is not an address of virtual router {}", to_string(listener.address), router.name),
        remedy);
  }

  void read_forward(Reader& reader) {
    enum class Forward : std::uint8_t { local, nat, direct, tunnel };
    static constexpr std::array<Reader::Choice<Forward>, 4> choices{{{"local", Forward::local},
                                                                     {"nat", Forward::nat},
                                                                     {"direct", Forward::direct},
                                                                     {"tunnel", Forward::tunnel}}};
    const auto forward = reader.choice<Forward>("forward", choices).value_or(Forward::local);
    if (forward == Forward::local) return;
    const auto name = choices.at(static_cast<std::size_t>(forward)).name;
    reader.error("forward", fmt::format("forward: {} cannot be used yet", name),
                 "layer-4 balancing comes later; now the service runs on this node (forward: local)");
  }

  // --- checks

  std::vector<health::CheckConfig> read_checks(Reader& reader, const std::string& owner,
                                               vrrp::Priority priority) {
    std::vector<health::CheckConfig> checks;
    const Node* const node = reader.child("checks");
    if (!node) return checks;
    for_names(*node, "checks of " + reader.what(), "check",
              [&](const auto& name, Place key_place, const Node& value) {
                const auto full_name = owner + "/" + name;
                const auto [first, is_new] = checks_.try_emplace(full_name, Claim{reader.what(), key_place});
                if (!is_new)
                  diagnostics_.error(
                      key_place,
                      fmt::format("check {} belongs to {} already, in {}", full_name, first->second.owner,
                                  diagnostics_.where(first->second.place, key_place)),
                      "rename one of them, or the virtual server");
                Reader check_reader(value, diagnostics_, "check " + full_name);
                if (refuse_check_words(check_reader)) return;
                checks.push_back(health::read_check(check_reader, full_name));
                warn_about_owners_check(check_reader, checks.back(), priority);
              });
    return checks;
  }

  void warn_about_owners_check(Reader& reader, const health::CheckConfig& check, vrrp::Priority priority) {
    if (priority != vrrp::owner_priority || check.on_failure.initialize) return;
    const auto* const on_failure = reader.node().find("on_failure");
    diagnostics_.warning(
        on_failure ? on_failure->place : reader.node().place,
        fmt::format("{} has no effect: priority 255 is the address owner's and does not change",
                    reader.what()),
        "write on_failure: initialize, or a priority of the virtual router below 255");
  }

  // --- helpers

  // Zero for "off".
  std::optional<Duration> duration_or_off(Reader& reader, std::string_view key, Duration least,
                                          Duration most) {
    const Node* const node = reader.child(key);
    if (!node) return std::nullopt;
    if (node->type != Node::Type::scalar) return reader.duration(key, least, most);  // to be reported
    if (node->scalar == "off") return Duration::zero();
    for (const auto* word : {"no", "false", "none", "never", "disabled", "0", "0s", "Off", "OFF"})
      if (node->scalar == word) {
        reader.error(key, fmt::format("{} is {}, it must be a duration or off", key, quote(word)),
                     "write off");
        return std::nullopt;
      }
    const auto value = parse_duration(node->scalar);
    if (!value || (*value >= least && *value <= most)) return reader.duration(key, least, most);
    reader.error(key, fmt::format("{} is {}, it must be {} to {}, or off", key, vipd::to_string(*value),
                                  vipd::to_string(least), vipd::to_string(most)));
    return std::nullopt;
  }

  static void warn(Reader& reader, std::string_view key, std::string message, std::string remedy) {
    const Node* const value = reader.node().find(key);
    reader.diagnostics().warning(value ? value->place : reader.node().place, std::move(message),
                                 std::move(remedy));
  }

  static constexpr std::array<Reader::Choice<bool>, 2> lease_modes{{{"auto", true}, {"off", false}}};
  static constexpr std::array<Reader::Choice<vrrp::ChecksumMode>, 3> checksum_modes{
      {{"auto", vrrp::ChecksumMode::automatic},
       {"rfc9568", vrrp::ChecksumMode::rfc9568},
       {"pseudo_header", vrrp::ChecksumMode::pseudo_header}}};

  Diagnostics& diagnostics_;
  Config config_;
  std::vector<std::string> router_names_;  // as the file has them, good or bad
  std::set<std::string> routers_with_bad_addresses_;
  std::map<std::pair<std::string, IpAddress>, Claim> addresses_;
  std::map<vrrp::RouterKey, Claim> vrids_;
  std::map<Listener, Claim> listeners_;
  std::map<std::string, Claim> checks_;
};

}  // namespace

Config read_schema(const Node& root, Diagnostics& diagnostics) {
  return Schema(diagnostics).read(root);
}

}  // namespace vipd::conf
