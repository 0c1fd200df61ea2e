#include "tests/sim/setup.h"

#include <fmt/format.h>

#include <algorithm>

namespace vipd::sim {

namespace {
using namespace std::chrono_literals;

constexpr std::size_t pool_size = 3;

// Mostly the default: what matters happens in multiples of it. Short ones cost time, and a few are enough to
// see what does not scale with them (rounds of announcements, lifetimes in whole seconds).
Centiseconds draw_interval(Random& random) {
  const int dice = random.below(1000);
  if (dice < 600) return Centiseconds{100};
  if (dice < 720) return Centiseconds{50};
  if (dice < 800) return Centiseconds{25};
  if (dice < 880) return Centiseconds{10};
  if (dice < 885) return Centiseconds{3};
  if (dice < 887) return Centiseconds{1};
  if (dice < 950) return Centiseconds{200};
  return Centiseconds{400};
}

int draw_host_count(Random& random) {
  const int dice = random.below(100);
  if (dice < 45) return 2;
  if (dice < 75) return 3;
  return random.between(4, 7);
}

std::vector<Prefix> pool(std::size_t entry, Family family) {
  std::vector<Prefix> result;
  for (std::size_t i = 0; i < pool_size; ++i) {
    const auto number = 100 + 10 * entry + i;
    const auto text = family == Family::ipv4 ? fmt::format("192.0.2.{}/24", number)
                                             : fmt::format("2001:db8::{}/64", number);
    result.push_back(Prefix::parse(text).value());
  }
  return result;
}

std::vector<vrrp::TrackedCheck> draw_checks(Random& random, const std::string& entry) {
  std::vector<vrrp::TrackedCheck> checks;
  if (random.chance(60)) checks.push_back({entry + "/nginx", -random.pick({10, 60, 120}), false});
  if (random.chance(25)) checks.push_back({entry + "/vital", 0, true});
  return checks;
}
}  // namespace

std::size_t Setup::families(std::size_t entry) const {
  return static_cast<std::size_t>(
      std::count_if(groups.begin(), groups.end(), [&](const Group& each) { return each.entry == entry; }));
}

std::string Setup::description() const {
  std::string text = fmt::format("{} hosts, {} virtual routers{}:", hosts.size(), groups.size(),
                                 lease ? ", with the kernel's lease" : "");
  for (const auto& host : hosts) {
    text += fmt::format(" {}{}", host.name, host.plain ? " (plain)" : host.guarded ? "" : " (no guardian)");
    for (const auto& entry : host.entries)
      text += fmt::format(" {}/{}{}", entry.priority, vipd::to_string(Duration(entry.interval)),
                          entry.preempt_mode ? "" : "/no preempt");
    text += ';';
  }
  return text;
}

Setup draw_setup(Random& random) {
  Setup setup;
  const bool two_entries = random.chance(15);
  setup.entries = two_entries ? std::vector<std::string>{"edge", "core"} : std::vector<std::string>{"edge"};
  for (std::size_t entry = 0; entry < setup.entries.size(); ++entry) {
    const int dice = random.below(100);
    for (const auto family : {Family::ipv4, Family::ipv6}) {
      if (dice < 45 && family == Family::ipv6) continue;
      if (dice >= 45 && dice < 60 && family == Family::ipv4) continue;
      setup.groups.push_back(
          {entry, {"eth0", static_cast<vrrp::Vrid>(51 + entry), family}, pool(entry, family)});
    }
  }

  const auto interval = draw_interval(random);
  setup.latency_least = random.between(30us, 200us);
  setup.latency_most = setup.latency_least + random.between(Duration(10us), Duration(interval) / 100);
  setup.kernel_delay = random.between(20us, 500us);
  setup.scheduling = random.between(10us, 1ms);
  setup.monitor_delay = random.between(1ms, 300ms);
  setup.lease = random.chance(50);

  const bool same_interval = random.chance(75);
  const bool preempt = random.chance(70);
  const bool plain_there = random.chance(30);
  const bool owner_there = random.chance(4);
  const Duration dead_man = random.pick<Duration>({3s, 3s, 3s, 10s, 2s});
  const vrrp::Announcing announce{random.pick({5, 5, 5, 3, 2, 1}),
                                  random.pick<Duration>({60s, 60s, 10s, 3s})};
  const int count = draw_host_count(random);
  std::vector<std::vector<vrrp::TrackedCheck>> checks;
  for (const auto& entry : setup.entries) checks.push_back(draw_checks(random, entry));

  std::vector<int> numbers;
  for (int i = 0; i < count; ++i) numbers.insert(numbers.begin() + random.below(i + 1), i + 1);
  for (int i = 0; i < count; ++i) {
    HostSetup host;
    host.name = std::string(1, static_cast<char>('a' + i));
    host.number = numbers[static_cast<std::size_t>(i)];
    host.plain = plain_there && i > 0 && random.chance(50);
    host.ppm = random.between(-5000, 5000);  // two of them are apart by 1 % at most
    host.guarded = random.chance(60);
    for (std::size_t entry = 0; entry < setup.entries.size(); ++entry) {
      EntrySettings settings;
      settings.priority = static_cast<vrrp::Priority>(random.pick({254, 250, 200, 150, 100, 50, 1}));
      if (random.chance(30)) settings.priority = static_cast<vrrp::Priority>(random.between(1, 254));
      if (owner_there && entry == 0 && i == 0) settings.priority = vrrp::owner_priority;
      if (settings.interval = interval; !same_interval)
        settings.interval = std::min(interval * random.between(1, 5), Centiseconds{500});
      settings.preempt_mode = preempt || random.chance(20);
      settings.checksum = host.plain
                              ? random.pick({vrrp::ChecksumMode::rfc9568, vrrp::ChecksumMode::pseudo_header})
                              : vrrp::ChecksumMode::automatic;
      settings.dead_man = dead_man;
      settings.announce = announce;
      if (!host.plain) settings.checks = checks[entry];
      host.entries.push_back(std::move(settings));
    }
    setup.hosts.push_back(std::move(host));
  }
  return setup;
}

}  // namespace vipd::sim
