// What a router leaves for its guardian and its successor, from a real engine.
#include "programs/router/kept_state.h"

#include <doctest/doctest.h>

#include "tests/vrrp/bench.h"

using namespace vipd;
using namespace vipd::programs;
using namespace vipd::vrrp::test;

namespace {
KeptState kept(const Bench& bench) {
  return kept_state(bench.engine.snapshot(), bench.engine.status(bench.now),
                    [](const std::string&) { return 7; });
}
}  // namespace

TEST_CASE("kept state: a Backup is not held, but its successor gets its state") {
  const Bench bench({c4()});
  const auto state = kept(bench);
  CHECK(state.state.held.empty());
  REQUIRE(state.tolerances.size() == 1);
  CHECK_FALSE(state.tolerances[0]);
  CHECK(state.state.snapshot.routers.at(0).state == vrrp::StateName::backup);
}

TEST_CASE(
    "kept state: an Active is held with its advertisement and addresses, half an interval late at most") {
  Bench bench({c4()});
  bench.wait(bench.timer());
  const auto state = kept(bench);
  REQUIRE(state.state.held.size() == 1);
  const auto& held = state.state.held[0];
  CHECK(held.key == c4().key);
  CHECK(held.interface_index == 7);
  CHECK(to_string(held.source) == "192.0.2.1");
  CHECK(held.advertisement.priority == 100);
  CHECK(held.addresses == c4().addresses);
  CHECK(valid(held));
  CHECK(state.tolerances.at(0) == 500ms);
}

TEST_CASE("kept state: the tolerances are in the order of the snapshot, with one for each virtual router") {
  Bench bench({c4(), c6()});
  bench.wait(bench.timer());
  const auto state = kept(bench);
  REQUIRE(state.tolerances.size() == state.state.snapshot.routers.size());
  for (std::size_t i = 0; i < state.tolerances.size(); ++i)
    CHECK(state.tolerances[i].has_value() ==
          (state.state.snapshot.routers[i].state == vrrp::StateName::active));
}
