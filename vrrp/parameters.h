// The parameters of one virtual router (RFC 9568 section 6.1), the formulas on them, and the settings that go
// beyond the RFC.
//
// A virtual router is (interface, VRID, family). A configuration entry with addresses of both families makes
// two virtual routers with one name; vrrp/sync_group moves them together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string>
#include <tuple>
#include <vector>

#include "base/archive.h"
#include "base/ip.h"
#include "base/time.h"

namespace vipd::vrrp {

using Vrid = std::uint8_t;      // 1 to 255
using Priority = std::uint8_t;  // 255 address owner, 1 to 254 otherwise; 0 on the wire: "I am leaving"

constexpr Priority owner_priority = 255;
constexpr Priority release_priority = 0;
constexpr Priority default_priority = 100;
constexpr std::size_t most_addresses = 255;  // 8 bits on the wire (section 5.2.5)
constexpr Centiseconds default_advertisement_interval{100};
constexpr Centiseconds shortest_advertisement_interval{1};
constexpr Centiseconds longest_advertisement_interval{4095};  // 12 bits on the wire (section 5.2.7)

// Skew_Time: (256 - Priority) / 256 of the interval, so that the best Backup takes over first. Multiplied
// before it is divided: exact to the nanosecond (section 6.1).
constexpr Duration skew_time(Priority priority, Duration active_adver_interval) {
  return (256 - priority) * active_adver_interval / 256;
}

// Active_Down_Interval: three intervals and the Skew_Time (section 6.1).
constexpr Duration active_down_interval(Priority priority, Duration active_adver_interval) {
  return 3 * active_adver_interval + skew_time(priority, active_adver_interval);
}

// One forged advertisement must not silence a node for two minutes (3 * 40.95 s).
constexpr Duration default_max_adopted_interval(Duration advertisement_interval) {
  return std::min<Duration>(3 * advertisement_interval, longest_advertisement_interval);
}

// How long after an advertisement the kernel lets packets for the addresses in, should the router fall
// silent: longer than an advertisement may be late, shorter than the three intervals after which a Backup
// takes over.
constexpr Duration lease_duration(Duration advertisement_interval) {
  return 5 * advertisement_interval / 2;
}

// The same after the advertisement that takes over from an Active, until the next one: an Active that gave
// way to a router it had never heard before takes the addresses back after one and a half intervals of
// silence. The next advertisement follows at once, because the router that gives way advertises once more and
// is answered.
constexpr Duration first_lease_duration(Duration advertisement_interval) {
  return 7 * advertisement_interval / 5;
}

// Which form of the IPv4 checksum is sent and accepted (section 5.2.8; RFC 5798 was read both ways).
enum class ChecksumMode : std::uint8_t {
  automatic,      // accept both; send the form last heard from a valid peer, until then the pseudo-header
  rfc9568,        // the message alone
  pseudo_header,  // with an IPv4 pseudo-header, as keepalived and FRR send it
};

// What a health check does to the virtual router while the check is down.
struct TrackedCheck {
  std::string check;  // the check's full name: "web/nginx"
  int priority = 0;   // added to the priority, -254 to -1; 0 if `initialize`
  bool initialize =
      false;  // Initialize while it is down: gives the addresses up, whatever the peer's priority
  Duration stale_after = std::chrono::seconds(60);  // how long its last result is believed
  bool operator==(const TrackedCheck&) const = default;
};

constexpr Duration longest_pace = std::chrono::seconds(1);

// Repeats of gratuitous ARPs and unsolicited NAs, for switches and neighbours that missed the first ones.
struct Announcing {
  int repeat = 5;                               // rounds after becoming Active, the first one included
  Duration refresh = std::chrono::seconds(60);  // one more round this often; zero: never
  Duration pace{};                              // in a round, at least so long between two addresses
  bool operator==(const Announcing&) const = default;
};

struct RouterKey {
  std::string interface;
  Vrid vrid = 0;
  Family family = Family::ipv4;
  auto operator<=>(const RouterKey&) const = default;
};

std::string to_string(const RouterKey& key);  // "VRID 51 on eth0 (IPv4)"

struct VirtualRouterConfig {
  std::string name;  // of the entry in the configuration: "edge"
  RouterKey key;
  Priority priority = default_priority;  // before health: the base
  Centiseconds advertisement_interval = default_advertisement_interval;
  bool preempt_mode = true;
  ChecksumMode checksum = ChecksumMode::automatic;
  std::vector<Prefix> addresses;  // as advertised, in the order of the configuration; never empty
  std::vector<TrackedCheck> checks;
  Announcing announce;
  Duration dead_man = std::chrono::seconds(3);  // valid_lft of the addresses in the kernel; zero: for ever
  // The longest interval of another router's advertisement that is believed at once; zero: the default, three
  // times our own.
  Duration max_adopted_interval{};
  bool lease = true;  // the kernel lets packets for the addresses in only while this virtual router is alive

  bool operator==(const VirtualRouterConfig&) const = default;
  // The path: the interface on which the advertisements travel.
  const std::string& path() const { return key.interface; }
  // The place: the interface on which an address is.
  const std::string& place(const Prefix& /*address*/) const { return key.interface; }
  bool owner() const { return priority == owner_priority; }
  // An owner's addresses are the host's own, and the host must stay reachable by them.
  bool wants_lease() const { return lease && !owner(); }
  Duration adoption_bound() const {
    return max_adopted_interval == Duration::zero() ? default_max_adopted_interval(advertisement_interval)
                                                    : max_adopted_interval;
  }
};

constexpr bool known(ChecksumMode mode) {
  return mode <= ChecksumMode::pseudo_header;
}
template <class A>
constexpr void fields(A& a, Is<TrackedCheck> auto& t) {
  a("check", t.check)("priority", t.priority)("initialize", t.initialize)("stale_after", t.stale_after);
}
template <class A>
constexpr void fields(A& a, Is<Announcing> auto& t) {
  a("repeat", t.repeat)("refresh", t.refresh).later("pace", t.pace);
}
template <class A>
constexpr void fields(A& a, Is<RouterKey> auto& k) {
  a("interface", k.interface)("vrid", k.vrid)("family", k.family);
}
template <class A>
constexpr void fields(A& a, Is<VirtualRouterConfig> auto& c) {
  a("name", c.name)("key", c.key)("priority", c.priority)("advertisement_interval", c.advertisement_interval)(
      "preempt_mode", c.preempt_mode)("checksum", c.checksum)("addresses", c.addresses)("checks", c.checks)(
      "announce", c.announce)("dead_man", c.dead_man)("max_adopted_interval", c.max_adopted_interval)(
      "lease", c.lease);
}

// Whether it can be the interval in a message (section 5.2.7).
constexpr bool is_interval(Duration interval) {
  return interval >= shortest_advertisement_interval && interval <= longest_advertisement_interval;
}
// For repeated actions: once a second at most, or (zero) not at all.
constexpr bool is_pause(Duration pause) {
  return pause == Duration::zero() || pause >= std::chrono::seconds(1);
}
inline bool valid(const TrackedCheck& check) {
  return check.priority >= -254 && check.priority <= 0 && check.stale_after >= Duration::zero();
}
inline bool valid(const Announcing& announcing) {
  return announcing.repeat >= 0 && is_pause(announcing.refresh) && announcing.pace >= Duration::zero() &&
         announcing.pace <= longest_pace;
}
inline bool valid(const VirtualRouterConfig& config) {
  return config.key.vrid != 0 && config.priority != release_priority &&
         is_interval(config.advertisement_interval) && is_pause(config.dead_man) &&
         config.max_adopted_interval >= Duration::zero() && !config.addresses.empty() &&
         config.addresses.size() <= most_addresses &&
         std::all_of(config.addresses.begin(), config.addresses.end(),
                     [&](const Prefix& each) { return each.address.family == config.key.family; });
}

}  // namespace vipd::vrrp
