#include <doctest/doctest.h>

#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/guardian_router_messages.h"
#include "programs/common/monitor_router_messages.h"

using namespace vipd;
using namespace vipd::programs;

namespace {
template <class M>
void survives_the_way(const M& message) {
  const auto bytes = to_bytes(message);
  const auto back = from_bytes<M>(bytes);
  REQUIRE(back);
  CHECK(to_bytes(*back) == bytes);
  for (std::size_t size = 0; size < bytes.size(); ++size)
    CHECK_FALSE(from_bytes<M>(std::span(bytes).first(size)).has_value());
}
}  // namespace

TEST_CASE("what the programs say to each other survives the way, and nothing cut short is taken") {
  vrrp::VirtualRouterConfig router;
  router.name = "edge";
  router.key = {"eth0", 51, Family::ipv6};
  router.addresses = {Prefix::parse("2001:db8::10/64").value()};
  router.checks = {{"web/nginx", -60, false}};
  checks::CheckConfig check;
  check.name = "web/nginx";
  check.kind = "http";
  check.settings = Node::map({{"http", Node::text("http://127.0.0.1/")}});
  vrrp::Snapshot snapshot;
  snapshot.routers.emplace_back().key = router.key;

  const TimePoint moment{std::chrono::seconds(5)};
  survives_the_way(Configure{{router}, snapshot});
  survives_the_way(Checks{{check}});
  survives_the_way(RunScript{7, "web/script", std::chrono::seconds(2)});
  survives_the_way(ScriptEnded{7, {checks::ScriptOutcome::End::exited, 1, "out", "err", ""}});
  survives_the_way(ReloadRequest{1, moment, std::chrono::seconds(30)});
  survives_the_way(ReloadRequest{1, moment, {}});
  survives_the_way(ConfirmRequest{2, moment});
  survives_the_way(ConfigurationReply{3, "web-a", "virtual_routers:", {{"PRIORITY", "150"}}});
  survives_the_way(Reloaded{1, false, "vipd.yaml:1:1: error"});
  survives_the_way(ControlAccess{1000, 27});
  survives_the_way(Upgraded{1, false, "damaged"});
  survives_the_way(
      Programs{"/etc/vipd/vipd.yaml", {{"router", {42, TimePoint{}, 1}}}, TimePoint{Duration(7)}});
  survives_the_way(Health{{{"web/nginx", false, -30, "502", TimePoint{}}}});
  survives_the_way(StatusReply{3, {TimePoint{}, {vrrp::RouterStatus{.config = router}}, {}, {}}});
  survives_the_way(StatusReply{3, {}, {{router.key, {"why not", TimePoint{}, 7}}}});
  survives_the_way(WantedLeases{{{router.key, {2, router.addresses}}}});
  survives_the_way(Leases{{{router.key, 5}}, {{router.key, "why not"}}});
  survives_the_way(Command{4, moment, "edge", true});
  survives_the_way(RecordRequest{5});
  survives_the_way(RecordReply{5, {1, 2, 3}});
  auto event = events::make_event("state_changed", "Backup -> Active", true);
  event.router = "edge";
  event.virtual_router = "VRID 51 on eth0 (IPv6)";
  event.fields = {{"state", "Active"}, {"priority", "250"}};
  survives_the_way(Happened{{event, event}, 17});
  survives_the_way(EventsTaken{17});
  events::Webhook webhook;
  webhook.url = "https://hooks.example.com/";
  events::Mail mail;
  mail.to = {"a@example.com"};
  survives_the_way(DeliverySettings{{{"edge", webhook, {}, "secret"}, {"", {}, mail, ""}}});
  CHECK_FALSE(from_bytes<DeliverySettings>(to_bytes(DeliverySettings{{{"edge", webhook, mail, ""}}})));
  survives_the_way(EventSettings{"/var/lib/vipd/events", 1 << 20, std::chrono::hours(24)});
}
