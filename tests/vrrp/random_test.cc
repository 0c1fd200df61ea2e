// A seed plays everything that can happen to one node; what must always hold is checked after every step.
#include <doctest/doctest.h>

#include <algorithm>
#include <random>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::vrrp;
using namespace vipd::vrrp::test;

namespace {
class Walk {
 public:
  explicit Walk(unsigned seed) : random_(seed) {
    configs_ = {c4(), c6()};
    for (auto& config : configs_) {
      config.priority = static_cast<Priority>(pick({50, 100, 200, 254}));
      config.preempt_mode = chance(50);
      config.advertisement_interval = Centiseconds{pick({1, 10, 100})};
      config.checks = {{"web/nginx", -30, false}, {"web/vital", 0, true}};
    }
    configs_[1].priority = configs_[0].priority;
    configs_[1].advertisement_interval = configs_[0].advertisement_interval;
    bench_.configure(configs_);
    bench_.check("web/nginx", true);
    bench_.check("web/vital", true);
  }

  void run(int steps) {
    for (int i = 0; i < steps && !failed_; ++i) {
      step();
      check();
    }
  }

 private:
  int pick(std::initializer_list<int> values) { return *(values.begin() + random_() % values.size()); }
  bool chance(int percent) { return static_cast<int>(random_() % 100) < percent; }

  void step() {
    const Duration interval = configs_.empty() ? Duration(1s) : Duration(configs_[0].advertisement_interval);
    switch (random_() % 20) {
      case 0: bench_.check("web/nginx", chance(50)); break;
      case 1: bench_.check("web/vital", chance(80)); break;
      case 2: {
        auto link = bench_.link;
        link.running = chance(70);
        bench_.interface(link);
        break;
      }
      case 3: {
        if (chance(70)) break;
        auto link = eth0();
        link.index = chance(30) ? 0 : 2 + random_() % 3;
        if (link.index == 0) link = Interface{.name = "eth0"};
        bench_.interface(link);
        break;
      }
      case 4: bench_.step(SwitchRequested{"edge"}); break;
      case 5: bench_.step(SwitchBackRequested{"edge"}); break;
      case 6: {
        auto changed = configs_;
        for (auto& config : changed) config.priority = static_cast<Priority>(pick({10, 100, 200, 255}));
        changed[1].priority = changed[0].priority;
        if (chance(30)) changed.erase(changed.begin() + static_cast<int>(random_() % changed.size()));
        if (chance(20))
          changed[0].addresses.push_back(changed[0].addresses[0]),
              changed[0].addresses.back().address.octets[3] ^= 0x55;
        bench_.configure(changed);
        if (chance(80)) bench_.configure(configs_);
        break;
      }
      case 7: restart(); break;
      case 8: bench_.wake_after(interval * pick({2, 4, 20})); break;
      case 9: bench_.step(AddressFailed{c4().key, prefix("192.0.2.100/24"), "refused"}); break;
      case 10:
        if (bench_.holds("192.0.2.100")) bench_.remove_by_hand("192.0.2.100/24");
        break;
      case 11:
      case 12:
      case 13:
      case 14: {
        const auto* source = chance(50) ? "192.0.2.2" : "fe80::2";
        bench_.hear({.priority = pick({0, 1, 70, 100, 170, 200, 255}),
                     .source = source,
                     .interval = Centiseconds{pick({1, 10, 100, 4095})}});
        break;
      }
      default: bench_.wait(interval * static_cast<int>(random_() % 500) / 100);
    }
  }

  // The router program dies and its successor adopts what it left.
  void restart() {
    const auto snapshot = from_bytes<Snapshot>(to_bytes(bench_.engine.snapshot())).value();
    bench_.engine = Engine();
    bench_.engine.step(bench_.now, InterfaceChanged{bench_.link});
    bench_.configure(configs_, snapshot);
  }

  void require(bool good, const char* what) {
    if (good || failed_) return;
    failed_ = true;
    FAIL_CHECK(what);
  }

  void check() {
    bench_.step(Tick{});
    const auto deadline = bench_.engine.next_deadline();
    require(!deadline || *deadline > bench_.now, "after a tick nothing is due");
    const auto status = bench_.engine.status(bench_.now);
    for (const auto& router : status.routers) {
      const bool is_active = router.state == StateName::active;
      require(!is_active || router.primary_address, "an Active has a primary address");
      require(!is_active || router.obstacles.empty(), "an Active has no obstacle");
      require((router.state == StateName::initialize) == !router.obstacles.empty(),
              "Initialize has a reason, others none");
      require(!(is_active && router.releasing), "an Active does not hand over");
      require(is_active || router.state != StateName::backup || router.deadline, "a Backup has a timer");
      require(router.priority >= 1, "the effective priority is 1 at least");
      for (const auto& each : router.config.addresses)
        if (!is_active && !router.releasing && !bench_.link.addresses.empty())
          require(!bench_.holds(to_string(each.address)), "who is not Active holds no address");
    }
  }

  std::mt19937 random_;
  Bench bench_;
  std::vector<VirtualRouterConfig> configs_;
  bool failed_ = false;
};
}  // namespace

TEST_CASE("whatever happens, what must always hold does hold") {
  for (unsigned seed = 1; seed <= 300; ++seed) {
    CAPTURE(seed);
    Walk(seed).run(200);
  }
}
