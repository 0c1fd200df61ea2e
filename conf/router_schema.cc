#include "conf/router_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <utility>

#include "base/time.h"
#include "base/words.h"
#include "conf/address_rules.h"
#include "conf/hooks_schema.h"
#include "conf/words.h"

namespace vipd::conf {

namespace {

using namespace std::chrono_literals;

constexpr std::size_t longest_interface = 15;  // IFNAMSIZ less its final zero
// Per family: the field Count IPvX Addr is one octet (RFC 9568 section 5.2.5).
constexpr std::size_t most_addresses = 255;
constexpr std::size_t most_unfragmented_ipv6 = 90;  // (1500 - 40 - 8) / 16
constexpr Duration least_dead_man = 2s;
constexpr Duration most_dead_man = 1h;
constexpr Duration least_pace = 1ms;
constexpr Duration least_refresh = 1s;
constexpr Duration most_refresh = 24h;
constexpr int most_repeats = 20;

// Names that the kernel accepts (dev_valid_name), in printable ASCII.
bool is_interface_name(std::string_view text) {
  if (text.empty() || text.size() > longest_interface || text == "." || text == "..") return false;
  return std::all_of(text.begin(), text.end(),
                     [](char each) { return each > ' ' && each < 0x7f && each != '/' && each != ':'; });
}

class RouterSchema {
 public:
  RouterSchema(Diagnostics& diagnostics, CheckSchema& checks) : diagnostics_(diagnostics), checks_(checks) {}

  RouterSection read(const Node& node) {
    for (const auto& entry : node.entries) section_.names.push_back(entry.key);
    for_entries(node, diagnostics_, "virtual_routers", "virtual router",
                [this](const std::string& name, Place, const Node& value) {
                  section_.routers.push_back(read_router(name, value));
                });
    return std::move(section_);
  }

 private:
  RouterEntry read_router(const std::string& name, const Node& node) {
    Reader reader(node, diagnostics_, "virtual router " + name);
    RouterEntry router;
    router.name = name;
    read_interface(reader, router);
    // One error is enough, here and below: a key of another program is reported with the name that vipd uses.
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
                   fmt::format("dead_man must be whole seconds, not {}", vipd::to_string(router.dead_man)));
    router.lease = reader.choice<bool>("lease", lease_modes).value_or(router.lease);
    read_announce(reader, router);
    refuse_router_words(reader);
    router.checks = checks_.read(reader, name, router.priority);
    router.hooks = read_hooks(reader);
    reader.finish();
    warn_about_owner(reader, router);
    claim_vrid(reader, router);
    if (!addresses_good) section_.with_bad_addresses.insert(name);
    return router;
  }

  void read_interface(Reader& reader, RouterEntry& router) {
    reader.required("interface");
    const auto text = reader.text("interface");
    if (!text) return;
    if (!is_interface_name(*text))
      reader.error("interface", fmt::format("{} is not a valid interface name", quote(*text)),
                   fmt::format("use 1 to {} characters, without spaces, \"/\" or \":\"", longest_interface));
    router.interface = *text;
  }

  // Whether the value is valid.
  bool read_advertisement_interval(Reader& reader, RouterEntry& router) {
    const auto interval = reader.duration("advertisement_interval", vrrp::shortest_advertisement_interval,
                                          vrrp::longest_advertisement_interval);
    if (!interval) return !reader.has("advertisement_interval");
    router.advertisement_interval = std::chrono::duration_cast<Centiseconds>(*interval);
    if (router.advertisement_interval == *interval) return true;
    // VRRPv3 has 12 bits of centiseconds (RFC 9568 section 5.2.7).
    reader.error(
        "advertisement_interval",
        fmt::format("advertisement_interval must be a multiple of 10ms, not {}", vipd::to_string(*interval)),
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
                 fmt::format("max_adopted_interval is {}, which is less than the advertisement_interval, {}",
                             vipd::to_string(*interval), vipd::to_string(own)),
                 fmt::format("remove it to use the default, {}",
                             vipd::to_string(vrrp::default_max_adopted_interval(own))));
  }

  void read_accept_mode(Reader& reader) {
    if (reader.boolean("accept_mode").value_or(true)) return;
    reader.error("accept_mode", "accept_mode: false is not supported yet",
                 "remove it: vipd does not set the firewall rules for it yet");
  }

  // Whether all addresses are valid: errors about the others would mislead if one is missing.
  bool read_addresses(Reader& reader, RouterEntry& router) {
    if (!reader.has("virtual_ipaddress") && !reader.has("virtual_ipaddress_excluded"))
      reader.required("addresses");
    const Node* const node = reader.child("addresses");
    if (!node) return false;
    if (node->type == Node::Type::scalar) return read_address(*node, router);
    if (node->type != Node::Type::sequence || node->items.empty()) {
      reader.error("addresses", "addresses must be a list of at least one address",
                   "write addresses: [192.0.2.10/24], with an address that clients connect to");
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
                         "use an address that a single node can have");
      return false;
    }
    if (!claim_address(*prefix, router, node.place)) return false;
    router.addresses.push_back(*prefix);
    return true;
  }

  bool claim_address(const Prefix& prefix, const RouterEntry& router, Place place) {
    // A link-local address is unique only on its link.
    const auto link = prefix.address.is_link_local() ? router.interface : std::string{};
    const auto [first, is_new] = addresses_.try_emplace({link, prefix.address}, Claim{router.name, place});
    if (is_new) return true;
    const auto& owner = first->second.owner;
    const auto where = diagnostics_.where(first->second.place, place);
    const auto text = to_string(prefix.address);
    if (owner == router.name)
      diagnostics_.error(place, fmt::format("duplicate address {}, first in {}", text, where),
                         "remove one of them");
    else
      diagnostics_.error(place,
                         fmt::format("{} already belongs to virtual router {} ({})", text, owner, where),
                         "an address can belong to only one virtual router: remove one of them");
    return false;
  }

  // A derived link-local address comes before the listed ones in the advertisement.
  bool check_count(Reader& reader, const RouterEntry& router, Family family) {
    std::size_t count = 0;
    bool begins_with_link_local = false;
    for (const auto& each : router.addresses)
      if (each.address.family == family && ++count == 1)
        begins_with_link_local = each.address.is_link_local();
    const bool derived = family == Family::ipv6 && router.link_local == LinkLocal::derive && count > 0 &&
                         !begins_with_link_local;
    if (derived) ++count;
    const auto* const with_derived = derived ? " (including the derived link-local one)" : "";
    if (count > most_addresses) {
      reader.error("addresses",
                   fmt::format("addresses has {} {} addresses{}, but an advertisement carries at most {}",
                               count, to_string(family), with_derived, most_addresses),
                   "split them into two virtual routers");
      return false;
    }
    if (family == Family::ipv6 && count > most_unfragmented_ipv6)
      warn(
          reader, "addresses",
          fmt::format("an advertisement of {} IPv6 addresses{} has {} octets, but Ethernet carries only 1500",
                      count, with_derived, 40 + 8 + 16 * count),
          fmt::format("list at most {}, or give the interface a larger MTU on all nodes",
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
           "move it before the other IPv6 addresses");
    } else if (!reader.has("link_local")) {
      warn(reader, "addresses",
           "the IPv6 addresses do not begin with a link-local one, which RFC 9568 section 5.2.9 requires",
           "write link_local: derive on all nodes, or link_local: none to keep the list as it is");
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
    router.announce.pace =
        duration_or_off(reader, "pace", least_pace, vrrp::longest_pace).value_or(router.announce.pace);
    reader.finish();
  }

  // The address owner has priority 255 and always preempts (RFC 9568 sections 5.2.4 and 6.1).
  void warn_about_owner(Reader& reader, const RouterEntry& router) {
    if (router.priority == vrrp::owner_priority && !router.preempt_mode)
      warn(reader, "preempt_mode",
           "preempt_mode: false has no effect: priority 255 marks the address owner, which always preempts",
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
                       fmt::format("VRID {} on {} ({}) already belongs to virtual router {} ({})",
                                   router.vrid, router.interface, listed(families, 2), earlier.owner,
                                   diagnostics_.where(earlier.place, vrid->place)),
                       "give each virtual router on the interface its own VRID");
  }

  // --- helpers

  // Zero means "off".
  std::optional<Duration> duration_or_off(Reader& reader, std::string_view key, Duration least,
                                          Duration most) {
    const Node* const node = reader.child(key);
    if (!node) return std::nullopt;
    if (node->type != Node::Type::scalar) return reader.duration(key, least, most);  // reports it
    if (node->scalar == "off") return Duration::zero();
    for (const auto* word : {"no", "false", "none", "never", "disabled", "0", "0s", "Off", "OFF"})
      if (node->scalar == word) {
        reader.error(key, fmt::format("{} must be a duration or off, not {}", key, quote(word)), "write off");
        return std::nullopt;
      }
    const auto value = parse_duration(node->scalar);
    if (!value || (*value >= least && *value <= most)) return reader.duration(key, least, most);
    reader.error(key, fmt::format("{} must be off or {} to {}, not {}", key, vipd::to_string(least),
                                  vipd::to_string(most), vipd::to_string(*value)));
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
  CheckSchema& checks_;
  RouterSection section_;
  std::map<std::pair<std::string, IpAddress>, Claim> addresses_;
  std::map<vrrp::RouterKey, Claim> vrids_;
};

}  // namespace

RouterSection read_routers(const Node& node, Diagnostics& diagnostics, CheckSchema& checks) {
  return RouterSchema(diagnostics, checks).read(node);
}

}  // namespace vipd::conf
