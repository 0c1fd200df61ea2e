// What vipd.yaml says, as plain data: conf/load makes it from text, conf/print writes it, conf/build turns it
// into what the router and the monitor get. Entries stand in the order of the file. Keys that can have one
// value only so far (accept_mode, forward) have no field.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/ip.h"
#include "base/time.h"
#include "events/hooks.h"
#include "events/limits.h"
#include "health/check.h"
#include "vrrp/parameters.h"

namespace vipd::conf {

// The first IPv6 address that is advertised. RFC 9568 section 5.2.9 wants the virtual router's link-local.
enum class LinkLocal : std::uint8_t {
  none,    // what is listed is what is advertised
  derive,  // one made of the VRID is put in front: link_local_address() in conf/build.h
};

// An entry of virtual_routers: with addresses of both families, two of RFC 9568's virtual routers.
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
  std::vector<health::CheckConfig> checks;  // named "<name>/<check>"
  events::Hooks hooks;

  bool operator==(const RouterEntry&) const = default;
};

// Where clients connect to.
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
  std::vector<health::CheckConfig> checks;  // named "<name>/<check>"

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
  std::string listen = "127.0.0.1:9650";  // address and port, or the path of a Unix socket; empty: not at all

  bool operator==(const MetricsSection&) const = default;
};

struct Config {
  std::vector<RouterEntry> virtual_routers;
  std::vector<ServerEntry> virtual_servers;
  EventsSection events;
  MetricsSection metrics;
  events::Hooks hooks;  // of all virtual routers, besides their own

  bool operator==(const Config&) const = default;
};

}  // namespace vipd::conf
