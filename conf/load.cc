#include "conf/load.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <map>
#include <set>
#include <tuple>
#include <utility>

#include "base/time.h"
#include "conf/yaml.h"
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

// --- words that are not keys, or not yet

struct Word {
  std::string_view key;
  std::string_view remedy;
};

constexpr Word reserved_for_routers[] = {
    {"virtual_mac", "addresses are on the interface itself, with its own MAC address"},
    {"unicast_peers", "advertisements go to the multicast group"},
    {"version", "leave it out: VRRPv3 (RFC 9568) is what is spoken"},
    {"sync_group", "addresses that must move together belong into one virtual router"},
    {"track_interfaces", "the virtual router's own interface is always watched"},
    {"excluded_addresses", "list all in addresses, up to 255 of a family"},
    {"routes", "addresses are all that moves"},
    {"rules", "addresses are all that moves"},
    {"hooks", "follow \"vipctl watch --json\" to act on changes"},
};
constexpr std::string_view no_authentication =
    "leave it out: VRRPv3 has no authentication (RFC 9568 section 9), a packet filter on the link protects "
    "better";
constexpr std::string_view no_state =
    "leave it out: every virtual router begins as Backup, and the priorities decide";
constexpr std::string_view write_announce = "write announce: {repeat: 5, refresh: 60s}";
constexpr Word foreign_to_routers[] = {
    {"virtual_router_id", "write vrid"},
    {"router_id", "write vrid"},
    {"advert_int", "write advertisement_interval, with a unit: 1s"},
    {"virtual_ipaddress", "write addresses"},
    {"virtual_ipaddress_excluded", "write addresses, which takes up to 255 of a family"},
    {"nopreempt", "write preempt_mode: false"},
    {"preempt", "write preempt_mode: true"},
    {"preempt_delay", "leave it out: the rise of a check says how long a node must be well before it counts"},
    {"accept", "leave it out: accept_mode is true by default"},
    {"no_accept", "leave it out: that is accept_mode: false, which cannot be used yet"},
    {"state", no_state},
    {"track_script", "write checks, with the script in it"},
    {"track_process", "write checks, with a script, tcp or http check in it"},
    {"track_file", "write checks, with a script in it"},
    {"track_interface", "leave it out: the virtual router's own interface is always watched, others not yet"},
    {"authentication", no_authentication},
    {"auth_type", no_authentication},
    {"auth_pass", no_authentication},
    {"unicast_peer",
     "that is unicast_peers, which cannot be used yet: advertisements go to the multicast group"},
    {"unicast_src_ip", "leave it out: advertisements go to the multicast group"},
    {"mcast_src_ip",
     "leave it out: the primary address of the interface is the source (RFC 9568 section 5.1.1.1)"},
    {"use_vmac", "that is virtual_mac, which cannot be used yet"},
    {"virtual_routes", "that is routes, which cannot be used yet"},
    {"virtual_rules", "that is rules, which cannot be used yet"},
    {"vrrp_version", "leave it out: VRRPv3 (RFC 9568) is what is spoken"},
    {"garp_master_delay", write_announce},
    {"garp_master_repeat", write_announce},
    {"garp_master_refresh", write_announce},
    {"garp_master_refresh_repeat", write_announce},
    {"notify", "that is hooks, which cannot be used yet: follow \"vipctl watch --json\""},
    {"notify_master", "that is hooks, which cannot be used yet: follow \"vipctl watch --json\""},
    {"notify_backup", "that is hooks, which cannot be used yet: follow \"vipctl watch --json\""},
    {"notify_fault", "that is hooks, which cannot be used yet: follow \"vipctl watch --json\""},
};

constexpr std::string_view later_balancing =
    "layer-4 balancing comes later; now the service runs on this node (forward: local)";
constexpr Word reserved_for_servers[] = {
    {"real_servers", later_balancing},
    {"quorum", later_balancing},
    {"scheduler", later_balancing},
    {"persistence", later_balancing},
};
constexpr Word foreign_to_servers[] = {
    {"real_server", later_balancing},
    {"lb_algo", later_balancing},
    {"lb_kind", later_balancing},
    {"lvs_sched", later_balancing},
    {"lvs_method", later_balancing},
    {"persistence_timeout", later_balancing},
    {"sorry_server", later_balancing},
    {"protocol", "leave it out: listen says where clients connect"},
    {"delay_loop", "write interval, in a check"},
    {"virtual_router", "write router"},
    {"addresses", "addresses belong to the virtual router; write listen, with ports"},
};

constexpr Word reserved_at_top[] = {
    {"sync_groups", "addresses that must move together belong into one virtual router"},
    {"include", "write all into one file"},
    {"metrics", "\"vipctl status --json\" has the counters"},
};
constexpr Word foreign_at_top[] = {
    {"vrrp_instance", "write virtual_routers: {NAME: ...}"},
    {"virtual_router", "write virtual_routers: {NAME: ...}"},
    {"virtual_server", "write virtual_servers: {NAME: ...}"},
    {"vrrp_sync_group", "that is sync_groups, which cannot be used yet"},
    {"vrrp_script", "write checks, in the virtual router or virtual server that the script is about"},
    {"global_defs", "leave it out: what is common has sensible values"},
    {"checks", "checks belong to a virtual router or a virtual server"},
};

template <std::size_t reserved_count, std::size_t foreign_count>
void refuse_words(Reader& reader, const Word (&reserved)[reserved_count],
                  const Word (&foreign)[foreign_count]) {
  for (const auto& word : reserved) reader.reserved(word.key, word.remedy);
  for (const auto& word : foreign) reader.foreign(word.key, word.remedy);
}

// --- small judgements

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

// The address with all bits behind the prefix cleared, or set.
IpAddress with_host_bits(const Prefix& prefix, bool set) {
  auto address = prefix.address;
  for (unsigned bit = prefix.length; bit < 8 * address.size(); ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80 >> (bit % 8));
    auto& octet = address.octets[bit / 8];
    octet = static_cast<std::uint8_t>(set ? octet | mask : octet & ~mask);
  }
  return address;
}

bool is_ipv4_mapped(const IpAddress& address) {
  return address.family == Family::ipv6 && address.octets[10] == 0xff && address.octets[11] == 0xff &&
         std::all_of(address.octets.begin(), address.octets.begin() + 10,
                     [](auto octet) { return octet == 0; });
}

// Why no node may have the address, or empty.
std::string trouble_with(const Prefix& prefix) {
  const auto& address = prefix.address;
  const bool ipv4 = address.family == Family::ipv4;
  if (address.is_unspecified()) return "the unspecified address";
  if (address.is_multicast()) return "a multicast address";
  if (address.is_loopback()) return "a loopback address";
  if (is_ipv4_mapped(address)) return "an IPv4-mapped address";
  if (ipv4 && address.octets[0] == 0) return "an address of \"this network\" (0.0.0.0/8)";
  if (ipv4 && address == with_host_bits({address, 0}, true)) return "the broadcast address";
  // RFC 3021 and RFC 6164: networks of two addresses have no special ones.
  if (prefix.length + 1u >= 8 * address.size()) return {};
  const auto network = to_string(Prefix{with_host_bits(prefix, false), prefix.length});
  if (address == with_host_bits(prefix, false))
    return (ipv4 ? "the address of the network " : "the subnet-router anycast address of ") + network;
  if (ipv4 && address == with_host_bits(prefix, true))
    return "the broadcast address of the network " + network;
  return {};
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

// "192.0.2.10:80" or "[2001:db8::10]:80".
Result<Listener> parse_listener(const std::string& text) {
  if (IpAddress::parse(text))
    return failure(text.find(':') == std::string::npos
                       ? "has no port: write \"" + text + ":80\""
                       : "needs brackets and a port: write \"[ADDRESS]:PORT\"");
  const auto colon = text.rfind(':');
  if (colon == std::string::npos) return failure("write \"ADDRESS:PORT\", such as 192.0.2.10:80");
  auto host = std::string_view(text).substr(0, colon);
  const auto digits = std::string_view(text).substr(colon + 1);
  const bool brackets = host.starts_with('[') && host.ends_with(']');
  if (brackets) host = host.substr(1, host.size() - 2);
  const auto address = IpAddress::parse(host);
  if (!address || brackets != (address->family == Family::ipv6))
    return failure("write \"192.0.2.10:80\" or \"[2001:db8::10]:80\", with an address of the virtual router");
  unsigned port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc{} || end != digits.data() + digits.size() || digits[0] == '0' || port > 65535)
    return failure("a port is 1 to 65535");
  return Listener{*address, static_cast<std::uint16_t>(port)};
}

// What to write in place of something that is no address.
std::string remedy_for_address(const std::string& text) {
  if (text.find(' ') != std::string::npos)
    return "write the address alone: it goes to the interface of the virtual router";
  if (parse_listener(text))
    return "write the address without a port; ports belong to listen, in a virtual server";
  return "write it as 192.0.2.10/24 or 2001:db8::10/64";
}

// --- the schema

class Loader {
 public:
  explicit Loader(Diagnostics& diagnostics) : diagnostics_(diagnostics) {}

  Config load(const Node& root) {
    if (root.type == Node::Type::null) {
      diagnostics_.error({1, 1, 1}, "nothing is configured here",
                         "begin with \"virtual_routers:\", see vipd.yaml(5)");
      return {};
    }
    Reader reader(root, diagnostics_, "the configuration");
    reader.required("virtual_routers");
    if (const Node* const routers = reader.child("virtual_routers")) read_routers(*routers);
    if (const Node* const servers = reader.child("virtual_servers")) read_servers(*servers);
    refuse_words(reader, reserved_at_top, foreign_at_top);
    reader.finish();
    return std::move(config_);
  }

 private:
  // A value that no two entries may have: who had it first, and where.
  struct Claim {
    std::string owner;
    int line;
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
    if (!reader.has("virtual_router_id")) reader.required("vrid");  // one complaint is enough
    router.vrid = static_cast<vrrp::Vrid>(reader.integer("vrid", 1, 255).value_or(0));
    router.priority =
        static_cast<vrrp::Priority>(reader.integer("priority", 1, 255).value_or(vrrp::default_priority));
    read_advertisement_interval(reader, router);
    read_max_adopted_interval(reader, router);
    router.preempt_mode = reader.boolean("preempt_mode").value_or(true);
    read_accept_mode(reader);
    router.checksum = reader.choice<vrrp::ChecksumMode>("checksum", checksum_modes).value_or(router.checksum);
    const bool addresses_good = read_addresses(reader, router);
    read_link_local(reader, router, addresses_good);
    router.dead_man =
        duration_or_off(reader, "dead_man", least_dead_man, most_dead_man).value_or(router.dead_man);
    if (router.dead_man % 1s != 0s)  // the kernel counts valid_lft in seconds
      reader.error("dead_man",
                   fmt::format("dead_man is {}, it must be whole seconds", vipd::to_string(router.dead_man)));
    router.lease = reader.choice<bool>("lease", lease_modes).value_or(router.lease);
    read_announce(reader, router);
    refuse_words(reader, reserved_for_routers, foreign_to_routers);
    router.checks = read_checks(reader, name, router.priority);
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

  void read_advertisement_interval(Reader& reader, RouterEntry& router) {
    const auto interval = reader.duration("advertisement_interval", vrrp::shortest_advertisement_interval,
                                          vrrp::longest_advertisement_interval);
    if (!interval) return;
    router.advertisement_interval = std::chrono::duration_cast<Centiseconds>(*interval);
    if (router.advertisement_interval == *interval) return;
    // VRRPv3 has 12 bits of centiseconds (RFC 9568 section 5.2.7).
    reader.error("advertisement_interval",
                 fmt::format("advertisement_interval is {}, it must be a multiple of 10ms",
                             vipd::to_string(*interval)),
                 fmt::format("write {}", vipd::to_string(router.advertisement_interval)));
  }

  void read_max_adopted_interval(Reader& reader, RouterEntry& router) {
    const auto own = router.advertisement_interval;
    const auto interval = reader.duration("max_adopted_interval", vrrp::shortest_advertisement_interval,
                                          vrrp::longest_advertisement_interval);
    router.max_adopted_interval = interval.value_or(vrrp::default_max_adopted_interval(own));
    if (router.max_adopted_interval >= own) return;
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
    if (!reader.has("virtual_ipaddress")) reader.required("addresses");
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
    for (const auto family : {Family::ipv4, Family::ipv6}) good &= check_count(*node, router, family);
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
    const auto [first, is_new] =
        addresses_.try_emplace({link, prefix.address}, Claim{router.name, place.line});
    if (is_new) return true;
    const auto& [owner, line] = first->second;
    const auto text = to_string(prefix.address);
    if (owner == router.name)
      diagnostics_.error(place, fmt::format("{} is here twice, first in line {}", text, line),
                         "remove one of them");
    else
      diagnostics_.error(
          place, fmt::format("{} belongs to virtual router {} already, in line {}", text, owner, line),
          "one virtual router must be in charge of an address");
    return false;
  }

  bool check_count(const Node& node, const RouterEntry& router, Family family) {
    const auto count = static_cast<std::size_t>(
        std::count_if(router.addresses.begin(), router.addresses.end(),
                      [family](const Prefix& each) { return each.address.family == family; }));
    if (count > most_addresses) {
      diagnostics_.error(node.place,
                         fmt::format("addresses has {} {} addresses, one advertisement carries up to {}",
                                     count, to_string(family), most_addresses),
                         "make two virtual routers of them");
      return false;
    }
    if (family == Family::ipv6 && count > most_unfragmented_ipv6)
      diagnostics_.warning(
          node.place,
          fmt::format("an advertisement of {} IPv6 addresses has {} octets, Ethernet carries 1500", count,
                      40 + 8 + 16 * count),
          fmt::format("list up to {}, or see to it that the interface has a larger MTU on all nodes",
                      most_unfragmented_ipv6));
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
      const auto [first, is_new] = vrids_.try_emplace(key, Claim{router.name, vrid->place.line});
      if (is_new) continue;
      families.emplace_back(to_string(family));
      earlier = first->second;
    }
    if (families.empty()) return;
    diagnostics_.error(
        vrid->place,
        fmt::format("VRID {} on {} ({}) belongs to virtual router {} already, in line {}", router.vrid,
                    router.interface, listed(families, 2), earlier.owner, earlier.line),
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
    reader.required("listen");
    if (const Node* const listen = reader.child("listen")) read_listen(*listen, router, server);
    read_forward(reader);
    refuse_words(reader, reserved_for_servers, foreign_to_servers);
    server.checks = read_checks(reader, name, router ? router->priority : vrrp::default_priority);
    reader.finish();
    return server;
  }

  // The virtual router that the server names, if it is there and good enough to be compared with.
  const RouterEntry* read_router_of(Reader& reader, ServerEntry& server) {
    reader.required("router");
    const auto name = reader.text("router");
    if (!name) return nullptr;
    server.router = *name;
    for (const auto& router : config_.virtual_routers)
      if (router.name == *name) return &router;
    if (std::find(router_names_.begin(), router_names_.end(), *name) != router_names_.end()) return nullptr;
    auto remedy = did_you_mean(*name, router_names_);
    if (remedy.empty() && !router_names_.empty()) remedy = "there is " + listed(quoted(router_names_), 5);
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
    const auto [first, is_new] = listeners_.try_emplace(*listener, Claim{server.name, node.place.line});
    if (is_new)
      server.listen.push_back(*listener);
    else
      diagnostics_.error(node.place,
                         fmt::format("{} belongs to virtual server {} already, in line {}",
                                     to_string(*listener), first->second.owner, first->second.line),
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
                 std::string(later_balancing));
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
                const auto [first, is_new] =
                    checks_.try_emplace(full_name, Claim{reader.what(), key_place.line});
                if (!is_new)
                  diagnostics_.error(key_place,
                                     fmt::format("check {} belongs to {} already, in line {}", full_name,
                                                 first->second.owner, first->second.line),
                                     "rename one of them, or the virtual server");
                Reader check_reader(value, diagnostics_, "check " + full_name);
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

// --- files

class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;
  int descriptor() const { return descriptor_; }

 private:
  int descriptor_;
};

// One byte more than is allowed is enough to know.
Result<std::string> read_all(const OpenFile& file, const std::string& doing) {
  std::string text;
  std::array<char, 65536> buffer{};
  while (text.size() <= largest_text) {
    const auto count = ::read(file.descriptor(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_failure(doing);
    if (count == 0) return text;
    text.append(buffer.data(), static_cast<std::size_t>(count));
  }
  return failure(
      fmt::format("{}: it has more than {} MiB, which no configuration needs", doing, largest_text >> 20));
}

}  // namespace

Loaded load_text(const std::string& name, std::string text) {
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.erase(0, byte_order_mark.size());
  Loaded loaded{std::nullopt, Diagnostics(name, text)};
  const auto root = read_yaml(text, loaded.diagnostics);
  if (!root) return loaded;
  auto config = Loader(loaded.diagnostics).load(*root);
  if (!loaded.diagnostics.has_errors()) loaded.config = std::move(config);
  return loaded;
}

Result<Loaded> load_file(const std::string& path) {
  const auto doing = "reading " + path;
  const OpenFile file(path);
  if (file.descriptor() < 0) return system_failure(doing);
  // Whoever reloads must not wait for the other end of a pipe.
  struct stat status{};
  if (::fstat(file.descriptor(), &status) == 0 && !S_ISREG(status.st_mode) && !S_ISDIR(status.st_mode))
    return failure(doing + ": it is not a regular file");
  auto loaded = load_text(path, TRY(read_all(file, doing)));
  if (S_ISREG(status.st_mode) && (status.st_mode & S_IWOTH) != 0)
    loaded.diagnostics.warning({}, "everybody may write this file, and with it what runs on this node",
                               "chmod o-w " + path);
  return loaded;
}

}  // namespace vipd::conf
