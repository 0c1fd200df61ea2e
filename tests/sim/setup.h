// Setup: what a seed draws before time begins: the virtual routers, the hosts and how they are configured,
// and how good the link is on a good day.
#pragma once

#include <string>
#include <vector>

#include "tests/sim/random.h"
#include "vrrp/parameters.h"

namespace vipd::sim {

// One virtual router of the LAN: what the hosts' virtual routers of one VRID and family are together.
struct Group {
  std::size_t entry = 0;  // of the configuration: groups of one entry move together
  vrrp::RouterKey key;
  std::vector<Prefix> pool;  // a configuration has the first of them, or some
};

// What one host's configuration says of an entry.
struct EntrySettings {
  vrrp::Priority priority = vrrp::default_priority;
  Centiseconds interval = vrrp::default_advertisement_interval;
  bool preempt_mode = true;
  vrrp::ChecksumMode checksum = vrrp::ChecksumMode::automatic;
  std::size_t addresses = 1;  // how many of the pool
  Duration dead_man{};
  vrrp::Announcing announce;
  std::vector<vrrp::TrackedCheck> checks;
};

struct HostSetup {
  std::string name;
  int number = 0;       // of its addresses: decides ties
  bool plain = false;   // a router of another make
  int ppm = 0;          // how much too fast its clock is
  bool guarded = true;  // the guardian lives: holds for a router that died and starts a new one
  std::vector<EntrySettings> entries;
};

struct Setup {
  std::vector<std::string> entries;  // their names
  std::vector<Group> groups;
  std::vector<HostSetup> hosts;
  bool lease = false;  // the kernel's: an address answers for 2.5 intervals after an advertisement
  Duration latency_least{};
  Duration latency_most{};
  Duration kernel_delay{};   // until a program hears of a change of addresses or links
  Duration scheduling{};     // how late a program wakes up at most
  Duration monitor_delay{};  // until a started router hears the first results of checks

  std::size_t families(std::size_t entry) const;  // how many groups the entry has
  // A moment in which two hosts cannot know of each other: messages under way, programs not yet woken.
  Duration moment() const { return 4 * (latency_most + scheduling) + 2 * kernel_delay; }
  std::string description() const;
};

Setup draw_setup(Random& random);

}  // namespace vipd::sim
