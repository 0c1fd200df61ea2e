#include "ctl/diff.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using nlohmann::json;
using vipd::ctl::prospect;

namespace {
json router(const char* state, int priority, int base, json peer) {
  return {{"family", "IPv4"},      {"state", state},       {"priority", priority},
          {"base_priority", base}, {"preempt_mode", true}, {"peer", std::move(peer)}};
}
const json active_with_100{{"address", "192.0.2.2"}, {"priority", 100}};
}  // namespace

TEST_CASE("diff: what a new priority leads to is said for the virtual router as it is") {
  CHECK(
      prospect(router("Active", 150, 150, nullptr), 120) ==
      "IPv4 is Active and will have priority 120: a Backup that has more and preempts takes over, without an "
      "interruption");
  CHECK(prospect(router("Backup", 50, 50, active_with_100), 90) ==
        "IPv4 stays Backup with priority 90: 192.0.2.2 has priority 100");
  CHECK(prospect(router("Backup", 50, 50, active_with_100), 150) ==
        "IPv4 becomes Active with priority 150: 192.0.2.2 has priority 100");
  CHECK(prospect(router("Initialize", 50, 50, nullptr), 150) == "IPv4 stays Initialize");
  CHECK(prospect(router("Active", 250, 250, nullptr), 255) ==
        "IPv4 becomes the address owner: priority 255 whatever its checks say, Active at once, without a "
        "lease");
}

TEST_CASE("diff: what checks take off the priority now, they take off the new one as well") {
  CHECK(prospect(router("Backup", 40, 100, active_with_100), 150) ==
        "IPv4 stays Backup with priority 90: 192.0.2.2 has priority 100");
  auto patient = router("Backup", 50, 50, active_with_100);
  patient["preempt_mode"] = false;
  CHECK(prospect(patient, 150) == "IPv4 stays Backup with priority 150: 192.0.2.2 has priority 100");
}
