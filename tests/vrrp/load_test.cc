// A thousand virtual routers and five thousand addresses: a step costs what it concerns, not what there is.
// The bounds are of processor time, about ten times what is needed on a small machine; work that grows with
// routers times addresses misses them by far.
#include <doctest/doctest.h>
#include <time.h>

#include <algorithm>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
constexpr int vrids = 250;

std::vector<VirtualRouterConfig> thousand_routers() {
  std::vector<VirtualRouterConfig> configs;
  for (const auto* interface : {"eth0", "eth1"})
    for (const auto family : {Family::ipv4, Family::ipv6})
      for (int vrid = 1; vrid <= vrids; ++vrid) {
        VirtualRouterConfig config;
        config.key = {interface, static_cast<Vrid>(vrid), family};
        config.name = to_string(config.key);
        config.advertisement_interval = Centiseconds{10};
        config.priority = 200;
        config.announce = {1, 0s};
        config.checks = {{config.name, -10, false}};
        auto address = ip(family == Family::ipv4 ? "198.18.0.0" : "2001:db8:1::");
        for (int n = 1; n <= 5; ++n) {
          address.octets[address.size() - 2] = static_cast<std::uint8_t>(vrid);
          address.octets[address.size() - 1] = static_cast<std::uint8_t>(n);
          config.addresses.push_back({address, static_cast<std::uint8_t>(address.size() * 8)});
        }
        configs.push_back(std::move(config));
      }
  return configs;
}

struct Load {
  std::vector<VirtualRouterConfig> configs = thousand_routers();
  Engine engine;
  TimePoint now{1000s};
  std::map<std::string, Interface> links;
  std::size_t actions = 0;

  Load() {
    for (const auto* name : {"eth0", "eth1"}) {
      auto& link = links[name] = eth0();
      link.name = name;
      link.index = name[3] - '0' + 2;
      link.addresses[0].prefix = prefix("192.0.2.1/24");
      for (int i = 0; i < 2500; ++i) {  // the host's own: makes five thousand with the virtual ones
        auto address = ip("10.0.0.1");
        address.octets[2] = static_cast<std::uint8_t>(i / 250);
        address.octets[3] = static_cast<std::uint8_t>(i % 250);
        link.addresses.push_back({{address, 8}});
      }
      step(InterfaceChanged{link});
    }
    step(ConfigReplaced{configs, {}});
  }

  void step(const Input& event) { actions += engine.step(now, event).size(); }
  void run(Duration duration) {
    const auto until = now + duration;
    while (engine.next_deadline() && *engine.next_deadline() <= until) {
      now = *engine.next_deadline();
      step(Tick{});
    }
    now = until;
  }
  void all_active() {
    for (const auto& config : configs) step(HealthChanged{{config.name, true, {}, "", now}});
    run(400ms);
    const auto routers = engine.status(now).routers;
    REQUIRE(std::all_of(routers.begin(), routers.end(),
                        [](const auto& router) { return router.state == StateName::active; }));
  }
};

Duration processor_time() {
  timespec time{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

template <class Work>
Duration cost(Work work) {
  const auto start = processor_time();
  work();
  return processor_time() - start;
}
}  // namespace

TEST_CASE("load: a second of a thousand Actives at 100 ms") {
  Load load;
  load.all_active();
  load.actions = 0;
  const auto spent = cost([&] { load.run(1s); });
  INFO("10,000 advertisements sent: ", to_string(spent));
  CHECK(load.actions >= 10'000);
  CHECK(spent < 1s);
}

TEST_CASE("load: ten thousand advertisements received by a thousand Backups") {
  Load load;
  std::vector<DatagramReceived> datagrams;
  for (const auto& config : load.configs) {
    const auto source = ip(config.key.family == Family::ipv4 ? "192.0.2.2" : "fe80::2");
    Advertisement advertisement{config.key.vrid, 250, Centiseconds{10}, {}, ChecksumForm::pseudo_header, 0};
    for (const auto& each : config.addresses) advertisement.addresses.push_back(each.address);
    const auto& group = multicast_group(config.key.family);
    datagrams.push_back(
        {config.key.interface, source, group, 255, encode(advertisement, source, group), false});
  }
  const auto spent = cost([&] {
    for (int round = 0; round < 10; ++round) {
      load.now += 10ms;
      for (const auto& datagram : datagrams) load.step(datagram);
    }
  });
  INFO("10,000 advertisements received: ", to_string(spent));
  CHECK(spent < 1s);
}

TEST_CASE("load: a take-over of five thousand addresses, told by the kernel in slices of 64") {
  Load load;
  load.all_active();
  const auto spent = cost([&] {
    int waiting = 0;
    for (const auto& config : load.configs) {
      auto& link = load.links[config.key.interface];
      for (const auto& each : config.addresses) {
        link.addresses.push_back({each, false, false, true});
        if (++waiting % 64 == 0) load.step(InterfaceChanged{link});
      }
    }
    for (const auto& [name, link] : load.links) load.step(InterfaceChanged{link});
  });
  INFO("80 snapshots of up to 5,000 addresses: ", to_string(spent));
  CHECK(spent < 2s);
}

TEST_CASE("load: a fact of one check, a discarded packet, a refused address: nobody else is asked") {
  Load load;
  load.all_active();
  const auto& config = load.configs[500];
  const auto spent = cost([&] {
    for (int i = 0; i < 1000; ++i) {
      load.step(HealthChanged{{config.name, i % 2 == 0, {}, "", load.now}});
      load.step(AddressFailed{config.key, config.addresses[0], "refused"});
      load.step(DatagramReceived{"eth0", ip("192.0.2.9"), multicast_group(Family::ipv4), 255,
                                 vector("B4-badck"), false});
    }
  });
  INFO("3,000 small facts: ", to_string(spent));
  CHECK(spent < 500ms);
}

TEST_CASE("load: a link that goes down and up, a reload without a change, a stop") {
  Load load;
  load.all_active();
  const auto flap = cost([&] {
    auto& link = load.links["eth0"];
    link.running = false;
    load.step(InterfaceChanged{link});
    link.running = true;
    load.step(InterfaceChanged{link});
  });
  load.run(400ms);
  const auto reload = cost([&] { load.step(ConfigReplaced{load.configs, {}}); });
  const auto stop = cost([&] {
    load.step(Shutdown{});
    load.run(1s);
  });
  INFO("flap ", to_string(flap), ", reload ", to_string(reload), ", stop ", to_string(stop));
  CHECK(load.engine.finished());
  CHECK(flap + reload + stop < 1s);
}

TEST_CASE("load: a configuration of a thousand virtual routers, adopted whole") {
  Load before;
  before.all_active();
  const auto snapshot = before.engine.snapshot();
  Engine after;
  for (const auto& [name, link] : before.links) after.step(before.now, InterfaceChanged{link});
  const auto spent = cost([&] { after.step(before.now, ConfigReplaced{before.configs, snapshot}); });
  INFO("adoption: ", to_string(spent));
  CHECK(spent < 500ms);
}
