#include "programs/common/hold.h"

#include <doctest/doctest.h>
#include <unistd.h>

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
HoldState sample(const std::string& reason) {
  vrrp::RouterSnapshot router;
  router.key = {"eth0", 51, Family::ipv4};
  router.state = vrrp::StateName::active;
  router.reason = reason;
  router.active_adver_interval = 1s;
  router.deadline = TimePoint{10s};
  HeldRouter held;
  held.key = router.key;
  held.interface_index = 2;
  held.source = IpAddress::parse("192.0.2.1").value();
  held.addresses = {Prefix::parse("192.0.2.10/24").value()};
  held.advertisement = {
      .vrid = 51, .priority = 200, .interval = Centiseconds{100}, .addresses = {held.addresses[0].address}};
  return {{{router}, {{"web/nginx", {"web/nginx", true, {}, "200 OK", TimePoint{1s}}}}}, {held}};
}

Hold second_view(const Hold& hold) {
  return std::move(Hold::adopt(io::Fd(dup(hold.fd()))).value());
}
}  // namespace

TEST_CASE("the guardian reads the state of the router, with the newest deadlines") {
  auto guardian = std::move(Hold::create().value());
  auto router = second_view(guardian);
  REQUIRE(router.write(sample("first")));
  router.set_deadline(0, TimePoint{11s}, TimePoint{11500ms});
  CHECK(guardian.overdue() == TimePoint{11500ms});
  const auto left = guardian.read();
  REQUIRE(left);
  CHECK(left->snapshot.routers.at(0).reason == "first");
  CHECK(left->snapshot.routers.at(0).deadline == TimePoint{11s});
  CHECK(left->snapshot.checks.at("web/nginx").detail == "200 OK");
  CHECK(left->held.at(0).addresses.size() == 1);
}

TEST_CASE("a router that was only late learns once which advertisements were sent in its place") {
  auto guardian = std::move(Hold::create().value());
  auto router = second_view(guardian);
  REQUIRE(router.write(sample("x")));
  CHECK(router.take_held().empty());
  const auto key = guardian.read()->snapshot.routers.at(0).key;
  guardian.held(key, TimePoint{12s});
  guardian.held(key, TimePoint{13s});
  const auto held = router.take_held();
  REQUIRE(held.size() == 1);
  CHECK(held[0] == std::pair(key, TimePoint{13s}));
  CHECK(router.take_held().empty());
}

TEST_CASE("advertisements for an outdated state do not concern the router") {
  auto guardian = std::move(Hold::create().value());
  auto router = second_view(guardian);
  REQUIRE(router.write(sample("x")));
  const auto key = guardian.read()->snapshot.routers.at(0).key;
  REQUIRE(router.write(sample("y")));
  guardian.held(key, TimePoint{12s});
  CHECK(router.take_held().empty());
}

TEST_CASE("nothing is overdue of a router that is not Active, nor before anything was kept") {
  auto hold = std::move(Hold::create().value());
  CHECK(hold.overdue() == never);
  REQUIRE(hold.write(sample("x")));
  hold.set_deadline(0, TimePoint{11s}, never);
  CHECK(hold.overdue() == never);
}

TEST_CASE("the newest of many states is the one that counts") {
  auto hold = std::move(Hold::create().value());
  for (int i = 0; i < 5; ++i) REQUIRE(hold.write(sample(std::to_string(i))));
  CHECK(hold.read()->snapshot.routers.at(0).reason == "4");
}

TEST_CASE("nothing is read before something was written, nor after it was cleared") {
  auto hold = std::move(Hold::create().value());
  CHECK_FALSE(hold.read());
  REQUIRE(hold.write(sample("x")));
  hold.clear();
  CHECK_FALSE(hold.read());
}

TEST_CASE("a state too large to be kept is refused, and the last one stays") {
  auto hold = std::move(Hold::create().value());
  REQUIRE(hold.write(sample("good")));
  const auto refused = hold.write(sample(std::string(20 << 20, 'x')));
  CHECK(refused.error().code == ENOSPC);
  CHECK(refused.error().message == "the state is too large to keep for a successor");
  CHECK(hold.read()->snapshot.routers.at(0).reason == "good");
}

// The guardian has rights that the router has not: it must not be led to send anything else, nor to end.
TEST_CASE("from a compromised router the guardian takes only valid advertisements") {
  auto hold = std::move(Hold::create().value());
  const auto refused = [&](auto spoil) {
    auto state = sample("x");
    spoil(state.held[0]);
    REQUIRE(hold.write(state));
    return !hold.read();
  };
  CHECK_FALSE(refused([](HeldRouter&) {}));
  CHECK(refused([](HeldRouter& held) { held.advertisement.addresses.clear(); }));
  CHECK(refused([](HeldRouter& held) { held.advertisement.addresses.resize(256); }));
  CHECK(refused([](HeldRouter& held) { held.advertisement.interval = Centiseconds{0}; }));
  CHECK(refused([](HeldRouter& held) { held.advertisement.interval = Centiseconds{4096}; }));
  CHECK(refused([](HeldRouter& held) { held.advertisement.vrid = 52; }));
  CHECK(refused([](HeldRouter& held) { held.source.family = Family::ipv6; }));
  CHECK(refused([](HeldRouter& held) { held.addresses[0].length = 33; }));
  CHECK(refused([](HeldRouter& held) { held.dead_man = -1s; }));
  CHECK(refused([](HeldRouter& held) { held.dead_man = 3ns; }));  // renewed all the time
}

TEST_CASE("a router that dies while it writes, or writes nonsense, leaves deadlines that are times") {
  auto guardian = std::move(Hold::create().value());
  auto router = second_view(guardian);
  REQUIRE(router.write(sample("x")));
  router.set_deadline(0, never, never);  // an Active always has one
  CHECK(guardian.read()->snapshot.routers.at(0).deadline == TimePoint{10s});
  router.set_deadline(0, TimePoint::min(), TimePoint::min());
  CHECK(guardian.read()->snapshot.routers.at(0).deadline > TimePoint::min());
  CHECK(guardian.overdue() > TimePoint::min());
}
