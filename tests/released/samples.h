// Values of everything that one release of vipd writes and another reads: the hold, the handover state, the
// messages and the recording in memory. Each field has a value that is not its default and that its
// neighbours do not have. The folders beside this file have the bytes that the releases wrote for these
// values, so the values stay as they are: a field that is added later keeps its default here.
#pragma once

#include <unistd.h>

#include <string>

#include "checks/settings/check_archive.h"
#include "programs/common/guardian_monitor_messages.h"
#include "programs/common/guardian_router_messages.h"
#include "programs/common/hold.h"
#include "programs/common/monitor_router_messages.h"
#include "programs/guardian/handover.h"
#include "record/recorder.h"

namespace vipd::tests {

using namespace vipd::programs;
using namespace std::chrono_literals;

inline IpAddress ip(const char* text) {
  return IpAddress::parse(text).value();
}
inline Prefix prefix(const char* text) {
  return Prefix::parse(text).value();
}

inline vrrp::RouterKey key4() {
  return {"eth0", 51, Family::ipv4};
}
inline vrrp::RouterKey key6() {
  return {"bond0.12", 52, Family::ipv6};
}

inline vrrp::Counters counters(std::uint64_t first) {
  vrrp::Counters counters{first,     first + 1, first + 2, first + 3, first + 4,  first + 5,
                          first + 6, first + 7, first + 8, first + 9, first + 10, first + 11};
  for (auto& each : counters.discarded)
    each = first + 20 + static_cast<std::uint64_t>(&each - counters.discarded.data());
  return counters;
}

inline vrrp::RouterSnapshot active4() {
  vrrp::RouterSnapshot router;
  router.key = key4();
  router.state = vrrp::StateName::active;
  router.priority = 190;
  router.since = TimePoint{100s};
  router.reason = "nothing heard from 192.0.2.2 for 3296.9 ms";
  router.active_adver_interval = 1s;
  router.deadline = TimePoint{123456ms};
  router.announced = 3;
  router.checksum_heard = vrrp::ChecksumForm::pseudo_header;
  router.counters = counters(1000);
  return router;
}

inline vrrp::RouterSnapshot backup6() {
  vrrp::RouterSnapshot router;
  router.key = key6();
  router.state = vrrp::StateName::backup;
  router.priority = 120;
  router.since = TimePoint{90s};
  router.reason = "heard fe80::2 with priority 200";
  router.active_adver_interval = 2s;
  router.deadline = TimePoint{130s};
  router.peer = vrrp::Peer{ip("fe80::2"), 200, Centiseconds{200}, TimePoint{122s}};
  router.yielded = true;
  router.counters = counters(2000);
  return router;
}

// Has left and serves until it hears its successor.
inline vrrp::RouterSnapshot releasing6() {
  auto router = backup6();
  router.key = {"eth1", 53, Family::ipv6};
  router.state = vrrp::StateName::initialize;
  router.release_until = TimePoint{125s};
  router.deadline = never;
  return router;
}

inline vrrp::CheckFacts check_facts() {
  return {{"web/nginx", {"web/nginx", true, {}, "200 OK", TimePoint{50s}}},
          {"web/script", {"web/script", false, -30, "exit code 2: full", TimePoint{60s}}}};
}

inline vrrp::Snapshot snapshot() {
  return {{active4(), backup6(), releasing6()}, check_facts(), {"web/new"}};
}

inline HeldRouter held4() {
  HeldRouter held;
  held.key = key4();
  held.interface_index = 7;
  held.source = ip("192.0.2.1");
  held.advertisement.vrid = 51;
  held.advertisement.priority = 190;
  held.advertisement.interval = Centiseconds{100};
  held.advertisement.addresses = {ip("192.0.2.10"), ip("192.0.2.11")};
  held.advertisement.checksum = vrrp::ChecksumForm::pseudo_header;
  held.addresses = {prefix("192.0.2.10/24"), prefix("192.0.2.11/32")};
  held.dead_man = 3s;
  return held;
}

inline HoldState hold() {
  return {snapshot(), {held4()}};
}

inline HoldState hold_of_backups() {
  return {{{backup6()}, {}, {}}, {}};
}

inline Handover handover() {
  Handover handover;
  handover.version = "0.1.0";
  handover.configuration =
      "virtual_routers:\n"
      "  edge:\n"
      "    interface: eth0\n"
      "    vrid: 51\n"
      "    addresses: [192.0.2.10/24]\n";
  handover.started = TimePoint{5s};
  handover.lock = 3;
  handover.control = 4;
  handover.hold = 5;
  handover.claims = {8, 9};
  handover.router = {42, 7, TimePoint{6s}, 1};
  handover.monitor = {43, 6, TimePoint{7s}, 2};
  handover.ending = {44, 45};
  return handover;
}

inline vrrp::VirtualRouterConfig router_config() {
  vrrp::VirtualRouterConfig config;
  config.name = "edge";
  config.key = key6();
  config.priority = 150;
  config.advertisement_interval = Centiseconds{200};
  config.preempt_mode = false;
  config.checksum = vrrp::ChecksumMode::rfc9568;
  config.addresses = {prefix("fe80::51/64"), prefix("2001:db8::10/64")};
  config.checks = {{"web/nginx", -60, false, 5s}, {"web/script", 0, true, 6s}};
  config.announce = {4, 30s};
  config.dead_man = 7s;
  config.max_adopted_interval = 8s;
  config.lease = false;
  return config;
}

inline checks::CheckConfig check_config() {
  checks::CheckConfig check;
  check.name = "web/nginx";
  check.kind = "http";
  check.interval = 300ms;
  check.timeout = 200ms;
  check.fall = 4;
  check.rise = 5;
  check.stale_after = 9s;
  check.on_failure.priority = -61;
  check.settings = Node::map({{"http", Node::text("http://127.0.0.1/")}});
  return check;
}

inline events::Event event() {
  events::Event event;
  event.name = "state_changed";
  event.severity = events::Severity::p1;
  event.router = "edge";
  event.virtual_router = "VRID 51 on eth0 (IPv4)";
  event.fields = {{"priority", "190"}, {"state", "Active"}};
  event.text = "Backup -> Active";
  event.when = TimePoint{99s};
  event.id = "17-3";
  event.time = events::WallTime{1'700'000'000'123ms};
  return event;
}

inline DeliverySettings delivery_settings() {
  events::Webhook webhook;
  webhook.url = "https://hooks.example.com/";
  webhook.secret_file = "/etc/vipd/secret";
  webhook.timeout = 11s;
  webhook.severity = events::Severity::p1;
  events::Mail mail;
  mail.smtp = "smtp://mail.example.com:25";
  mail.from = "vipd@example.com";
  mail.to = {"a@example.com", "b@example.com"};
  mail.user = "vipd";
  mail.password_file = "/etc/vipd/password";
  mail.timeout = 12s;
  mail.severity = events::Severity::p0;
  return {{{"edge", webhook, {}, "key"}, {"", {}, mail, "password"}}};
}

inline std::vector<record::Entry> inputs() {
  vrrp::DatagramReceived datagram{"eth0", ip("192.0.2.2"), ip("224.0.0.18"), 255, {0x31, 51, 200, 1}, true};
  Interface interface{
      "eth0", 7, true, true, 1500, {{2, 0, 0, 0, 0, 1}}, {{prefix("192.0.2.1/24"), true, false, true}}};
  return {{TimePoint{1s}, vrrp::InterfaceChanged{interface}},
          {TimePoint{2s}, vrrp::ConfigReplaced{{router_config()}, snapshot()}},
          {TimePoint{3s}, datagram},
          {TimePoint{4s}, vrrp::HealthChanged{check_facts().at("web/script")}},
          {TimePoint{5s}, vrrp::Tick{}},
          {TimePoint{6s}, datagram},
          {TimePoint{7s}, vrrp::AddressFailed{key4(), prefix("192.0.2.10/24"), "no buffer space"}},
          {TimePoint{8s}, vrrp::SenderIdentified{"eth0", ip("192.0.2.2"), {{2, 0, 0, 0, 0, 2}}}},
          {TimePoint{9s}, vrrp::AddressClaimed{"eth0", ip("192.0.2.10"), {{2, 0, 0, 0, 0, 3}}, 4}},
          {TimePoint{10s}, vrrp::SwitchRequested{"edge"}},
          {TimePoint{11s}, vrrp::SwitchBackRequested{"edge"}},
          {TimePoint{12s}, vrrp::AdvertisementsHeld{{{key4(), TimePoint{13s}}}}},
          {TimePoint{13s}, vrrp::Shutdown{}}};
}

inline std::vector<std::uint8_t> recorded() {
  record::Recorder recorder(1 << 16, [] { return std::vector<vrrp::Input>(); });
  for (const auto& [when, input] : inputs()) recorder.record(when, input);
  return recorder.contents();
}

// Calls `each` with a name and a value for everything that is an archive of its own.
template <class Each>
void for_each_archive(Each each) {
  const TimePoint until{77s};
  each("hold", hold());
  each("hold_of_backups", hold_of_backups());
  each("Configure", Configure{{router_config()}, snapshot()});
  each("Stop", Stop{});
  each("Ready", Ready{});
  each("Stopped", Stopped{});
  each("WantedLeases", WantedLeases{{{key6(), {8, router_config().addresses}}}});
  each("Leases", Leases{{{key4(), 3}}, {{key6(), "Operation not permitted"}}});
  each("Checks", Checks{{check_config()}});
  each("RunScript", RunScript{21, "web/script", 2s});
  each("CancelScript", CancelScript{22});
  each("ScriptEnded", ScriptEnded{23, {checks::ScriptOutcome::End::signalled, 9, "out", "err", "why"}});
  each("ControlAccess", ControlAccess{1000, 27});
  each("Alive", Alive{});
  each("ReloadRequest", ReloadRequest{24, until, 30s});
  each("ConfirmRequest", ConfirmRequest{25, until});
  each("ConfigurationRequest", ConfigurationRequest{26, {"PRIORITY"}});
  each("ConfigurationReply",
       ConfigurationReply{27, "web-a", "virtual_routers:", {{"PRIORITY", "150"}}, {"eth0"}});
  each("UpgradeRequest", UpgradeRequest{28, until});
  each("Upgraded", Upgraded{29, true, "vipd 0.2.0 replaces vipd 0.1.0"});
  each("Reloaded", Reloaded{30, true, "nothing has changed"});
  each("Programs", Programs{"/etc/vipd/vipd.yaml", {{"router", {42, TimePoint{3s}, 1}}}, until});
  each("Health", Health{{check_facts().at("web/script")}});
  each("KnownFacts", KnownFacts{check_facts()});
  each("MetricsSocket", MetricsSocket{});
  each("StatusRequest", StatusRequest{31, true});
  each("Command", Command{33, until, "edge", true});
  each("CommandDone", CommandDone{34, true, "handing over edge"});
  each("RecordRequest", RecordRequest{35});
  each("RecordReply", RecordReply{36, {1, 2, 3}});
  each("Happened", Happened{{event()}, 37});
  each("EventsTaken", EventsTaken{38});
  each("EventSettings", EventSettings{"/var/lib/vipd/events", 1 << 20, 24h});
  each("DeliverySettings", delivery_settings());
  vrrp::RouterStatus status;
  status.config = router_config();
  status.state = vrrp::StateName::active;
  status.priority = 140;
  status.since = TimePoint{70s};
  status.reason = "the Active has left";
  status.obstacles = {"no carrier"};
  status.explanation = {"base priority 150"};
  status.primary_address = ip("fe80::1");
  status.active_adver_interval = 2s;
  status.deadline = TimePoint{71s};
  status.peer = backup6().peer;
  status.followed = ip("fe80::2");
  status.checksum = vrrp::ChecksumForm::pseudo_header;
  status.on_trial = true;
  status.claim = vrrp::AddressClaim{ip("fe80::51"), {{2, 0, 0, 0, 0, 9}}, TimePoint{72s}, 3};
  status.deaf_peer = ip("fe80::3");
  status.addresses_present = {prefix("fe80::51/64")};
  status.counters = counters(3000);
  vrrp::Measurements measured;
  measured.lateness.add(2ms);
  measured.jitter.add(3ms);
  measured.failover.add(3s);
  measured.handover.add(20s);
  measured.became_active = {1, 2, 3, 4, 5, 6};
  each("StatusReply",
       StatusReply{32,
                   {TimePoint{73s}, {status}, {{"eth0", counters(4000).discarded}}, check_facts()},
                   {{key6(), {"Operation not permitted", TimePoint{74s}, 5}}},
                   {{key6(), {11, 12, 13, 14}}},
                   {{key6(), measured}}});
}

// The memory that the router shares with the guardian: the offsets and bytes of its parts that are not zero.
// format: none, or the argument of Hold::write.
template <class Each, class... Format>
void for_each_part_of_the_hold(Each each, Format... format) {
  auto memory = std::move(Hold::create().value());
  memory.beat(TimePoint{124s});
  (void)memory.write(hold_of_backups(), format...);
  (void)memory.write(hold(), format...);
  memory.set_deadline(0, TimePoint{124500ms}, TimePoint{125s});
  (void)memory.read();
  memory.held(key4(), TimePoint{126s});
  std::vector<std::uint8_t> block(4096);
  std::size_t offset = 0;
  for (ssize_t size = 0;
       (size = pread(memory.fd(), block.data(), block.size(), static_cast<off_t>(offset))) > 0;
       offset += static_cast<std::size_t>(size)) {
    auto end = block.begin() + size;
    while (end != block.begin() && end[-1] == 0) --end;
    if (end != block.begin()) each(offset, std::vector<std::uint8_t>(block.begin(), end));
  }
}

}  // namespace vipd::tests
