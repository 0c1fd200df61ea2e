#include "programs/monitor/show.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
nlohmann::json parsed(const std::string& text) {
  return nlohmann::json::parse(text);
}

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
  const auto json = parsed(status_to_json(StatusReply{1, sample()}, {},
                                          {"/etc/vipd/vipd.yaml", {{"router", {42, TimePoint{6s}, 1}}}, {}},
                                          TimePoint{8s}));
  const auto& router = json["routers"][0];
  CHECK(router["name"] == "edge");
  CHECK(router["state"] == "Active");
  CHECK(router["since_s"] == 3);
  CHECK(router["addresses"][0]["present"] == true);
  CHECK(router["addresses"][1]["present"] == false);
  CHECK(router["discarded"]["checksum"] == 3);
  CHECK(router["discarded"]["hop_limit"] == 0);
  CHECK(router["peer"].is_null());
  CHECK(json["programs"]["router"]["pid"] == 42);
  CHECK(json["programs"]["router"]["uptime_s"] == 2.0);
}

TEST_CASE("status tells for how long a reload waits to be confirmed, if one does") {
  Programs programs{"/etc/vipd/vipd.yaml", {}, {}};
  const auto told = [&] {
    return parsed(status_to_json(StatusReply{1, sample()}, {}, programs, TimePoint{8s}))["goes_back_in_s"];
  };
  CHECK(told().is_null());
  programs.goes_back = TimePoint{38s};
  CHECK(told() == 30.0);
}

TEST_CASE("status tells how the lease stands: for how long, what it has dropped, or why there is none") {
  StatusReply reply{1, sample()};
  const auto lease = [&] {
    return parsed(status_to_json(reply, {}, {}, TimePoint{8s}))["routers"][0]["lease"];
  };
  CHECK(lease()["on"] == false);  // the guardian may have died before it said anything

  const auto key = reply.status.routers[0].config.key;
  reply.leases[key] = {{}, TimePoint{8s + 250ms}, 17};
  CHECK(lease() ==
        nlohmann::json{{"on", true}, {"why_not", nullptr}, {"remaining_ms", 250.0}, {"drops", 17}});
  reply.leases[key] = {{}, TimePoint{}, 0};
  CHECK(lease()["on"] == true);
  CHECK(lease()["remaining_ms"].is_null());
  reply.leases[key] = {"Operation not permitted", {}, 0};
  CHECK(lease()["on"] == false);
  CHECK(lease()["why_not"] == "Operation not permitted");

  reply.leases.clear();
  reply.status.routers[0].config.lease = false;
  CHECK(lease()["why_not"] == "switched off in the configuration");
  reply.status.routers[0].config.lease = true;
  reply.status.routers[0].config.priority = 255;
  CHECK(lease()["why_not"] == "address owner: the addresses are the host's own");
}

TEST_CASE("a latency that is a lower limit and no measured value says so") {
  checks::CheckStatus check;
  check.check = "web/nginx";
  check.latency = 100ms;
  check.latency_exceeded = true;
  auto json = parsed(status_to_json(StatusReply{}, {check}, {}, TimePoint{8s}));
  CHECK(json["checks"][0]["latency_ms"] == 100.0);
  CHECK(json["checks"][0]["latency_exceeded"] == true);
  check.latency_exceeded = false;
  json = parsed(status_to_json(StatusReply{}, {check}, {}, TimePoint{8s}));
  CHECK(json["checks"][0]["latency_exceeded"] == false);
}

TEST_CASE("a check that has not answered yet is unknown, and has no age") {
  checks::CheckStatus check;
  check.check = "web/nginx";
  const auto json = parsed(status_to_json(StatusReply{}, {check}, {}, TimePoint{8s}));
  CHECK(json["checks"][0]["state"] == "unknown");
  CHECK(json["checks"][0]["since_s"].is_null());
}

TEST_CASE("an explanation is sentences, and there is none of a virtual router that does not exist") {
  CHECK(explanation_to_json(sample(), "edge")[0]["sentences"].size() >= 3);
  CHECK(explanation_to_json(sample(), "egde").is_null());
}
