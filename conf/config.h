// The content of vipd.yaml as plain data: conf/load reads it from text, conf/print writes it, and conf/build
// converts it for vipd-router and vipd-monitor. Entries keep the order of the file. Keys that support only
// one value so far (accept_mode, forward) have no field.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "checks/settings/check.h"
#include "events/hooks.h"
#include "events/limits.h"
#include "vrrp/parameters.h"

namespace vipd::conf {

// The first IPv6 address in advertisements, a link-local one according to RFC 9568 section 5.2.9.
enum class LinkLocal : std::uint8_t {
  none,    // only the listed addresses are advertised
  derive,  // one derived from the VRID comes first: link_local_address() in conf/build.h
};

// An entry of virtual_routers. With addresses of both families it is two virtual routers of RFC 9568.
struct RouterEntry {
  std::string name;
  std::string interface;
  vrrp::Vrid vrid = 0;
  vrrp::Priority priority = vrrp::default_priority;
  Centiseconds advertisement_interval = vrrp::default_advertisement_interval;
  bool preempt_mode = true;
  vrrp::ChecksumMode checksum = vrrp::ChecksumMode::automatic;
  std::vector<Prefix> addresses;  // both families, in the order of the file
  LinkLocal link_local = LinkLocal::none;
  Duration dead_man = std::chrono::seconds(3);  // zero: off
  Duration max_adopted_interval = vrrp::default_max_adopted_interval(vrrp::default_advertisement_interval);
  bool lease = true;  // where the kernel allows it
  vrrp::Announcing announce;
  std::vector<checks::CheckConfig> checks;  // named "<name>/<check>"
  events::Hooks hooks;

  bool operator==(const RouterEntry&) const = default;
};

// An address and port that clients connect to.
struct Listener {
  IpAddress address;
  std::uint16_t port = 0;
  auto operator<=>(const Listener&) const = default;
};

std::string to_string(const Listener& listener);  // "192.0.2.10:80", "[2001:db8::10]:80"

// An entry of virtual_servers.
struct ServerEntry {
  std::string name;
  std::string router;  // the name of a RouterEntry
  std::vector<Listener> listen;
  std::vector<checks::CheckConfig> checks;  // named "<name>/<check>"

  bool operator==(const ServerEntry&) const = default;
};

// The section events.
struct EventsSection {
  std::string directory;  // of the journal; empty: "events" in the state directory
  events::Limits limits;

  bool operator==(const EventsSection&) const = default;
};

// The section metrics.
struct MetricsSection {
  std::string listen = "127.0.0.1:9650";  // address and port, or the path of a Unix socket; empty: off

  bool operator==(const MetricsSection&) const = default;
};

struct Config {
  std::vector<RouterEntry> virtual_routers;
  std::vector<ServerEntry> virtual_servers;
  EventsSection events;
  MetricsSection metrics;
  events::Hooks hooks;  // for all virtual routers, in addition to their own

  bool operator==(const Config&) const = default;
};

}  // namespace vipd::conf
