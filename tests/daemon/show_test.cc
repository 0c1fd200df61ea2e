#include "daemon/show.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace vipd;
using namespace vipd::daemon;
using namespace std::chrono_literals;

namespace {
vrrp::Status sample() {
  vrrp::RouterStatus router;
  router.config.name = "edge";
  router.config.key = {"eth0", 51, Family::ipv4};
  router.config.addresses = {Prefix::parse("192.0.2.10/24").value(), Prefix::parse("192.0.2.11/24").value()};
  router.state = vrrp::StateName::active;
  router.since = TimePoint{5s};
  router.addresses_present = {router.config.addresses.front()};
  router.counters.discarded[static_cast<std::size_t>(vrrp::DecodeError::checksum)] = 3;
  return {TimePoint{8s}, {router}, {{"eth0", {}}}, {}};
}
}  // namespace

TEST_CASE("status tells each virtual router's state, age, addresses and discards") {
  const auto json = status_to_json(sample(), {}, {"/etc/vipd/vipd.yaml", {{"router", {42, TimePoint{6s}, 1}}}},
                                   TimePoint{8s});
  const auto& router = json["routers"][0];
  CHECK(router["name"] == "edge");
  CHECK(router["state"] == "Active");
  CHECK(router["since_s"] == 3.0);
  CHECK(router["addresses"][0]["present"] == true);
  CHECK(router["addresses"][1]["present"] == false);
  CHECK(router["discarded"]["checksum"] == 3);
  CHECK(router["discarded"]["hop_limit"] == 0);
  CHECK(router["peer"].is_null());
  CHECK(json["programs"]["router"]["pid"] == 42);
  CHECK(json["programs"]["router"]["uptime_s"] == 2.0);
}

TEST_CASE("a check that has not answered yet is unknown, and has no age") {
  health::CheckStatus check;
  check.check = "web/nginx";
  const auto json = status_to_json({}, {check}, {}, TimePoint{8s});
  CHECK(json["checks"][0]["state"] == "unknown");
  CHECK(json["checks"][0]["since_s"].is_null());
}

TEST_CASE("an explanation is sentences, and there is none of a virtual router that does not exist") {
  CHECK(explanation_to_json(sample(), "edge")[0]["sentences"].size() >= 3);
  CHECK(explanation_to_json(sample(), "egde").is_null());
}
