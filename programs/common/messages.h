// The messages of the three programs on their channels: a type and a value of plain data.
//
//   guardian -> router    Configure, Stop, MonitorLink,         router -> guardian   Ready, Stopped,
//                         Leases                                                     WantedLeases, Happened
//   guardian -> monitor   ControlAccess, Checks, RouterLink,    monitor -> guardian  RunScript, CancelScript,
//                         ScriptEnded, Reloaded, Upgraded,                           ReloadRequest, Alive,
//                         Programs, ConfigurationReply,                              ConfirmRequest,
//                         EventSettings, DeliverySettings,                           UpgradeRequest,
//                         MetricsSocket, Happened                                    ConfigurationRequest,
//                                                                                    Happened, EventsTaken
//   monitor -> router     Health, Alive, StatusRequest,         router -> monitor    KnownFacts, StatusReply,
//                         RecordRequest, Command                                     RecordReply,
//                                                                                    CommandDone, Discard
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/archive.h"
#include "checks/script_executor.h"
#include "checks/settings/check_archive.h"
#include "events/event.h"
#include "events/hooks.h"
#include "io/channel.h"
#include "programs/common/activity.h"
#include "vrrp/measurements.h"
#include "vrrp/status.h"

namespace vipd::programs {

enum class MessageType : std::uint16_t {
  configure = 1,
  stop,
  monitor_link,  // carries the descriptor of a channel to the monitor
  ready,
  stopped,
  checks,
  router_link,  // carries the descriptor of a channel to the router
  script_ended,
  reloaded,
  programs,
  run_script,
  cancel_script,
  reload_request,
  health,
  status_request,
  command,
  known_facts,
  status_reply,
  command_done,
  happened,
  alive,
  control_access,
  upgrade_request,
  upgraded,
  leases,  // carries the descriptor of the slots, if there are any
  wanted_leases,
  record_request,
  record_reply,
  confirm_request,
  configuration_request,
  configuration_reply,
  discard,  // carries a descriptor that the monitor closes
  event_settings,
  events_taken,
  metrics_socket,  // carries a listening socket, if metrics are to be served
  delivery_settings,
};

// Guardian to router: the whole configuration; at the start also the state that the predecessor left.
struct Configure {
  static constexpr auto type = MessageType::configure;
  std::vector<vrrp::VirtualRouterConfig> routers;
  std::optional<vrrp::Snapshot> adopted;
};

// Guardian to router: hand over in order, then send Stopped and end.
struct Stop {
  static constexpr auto type = MessageType::stop;
};

// Router to guardian: the configuration is in force; the guardian may end its hold.
struct Ready {
  static constexpr auto type = MessageType::ready;
};

struct Stopped {
  static constexpr auto type = MessageType::stopped;
};

// Router to guardian: which virtual addresses need a lease on which interface, including those of a virtual
// router that is still handing over. The complete list each time.
struct WantedLeases {
  static constexpr auto type = MessageType::wanted_leases;
  struct Place {
    std::uint32_t interface_index = 0;  // 0: does not exist at present
    std::vector<Prefix> addresses;
  };
  std::map<vrrp::RouterKey, Place> routers;
};

// Guardian to router: the slot in which each virtual router renews its lease (netlink/lease_slots.h).
struct Leases {
  static constexpr auto type = MessageType::leases;
  std::map<vrrp::RouterKey, std::uint32_t> slots;
  std::map<vrrp::RouterKey, std::string> why_not;  // the reason, for those without
};

struct Checks {
  static constexpr auto type = MessageType::checks;
  std::vector<checks::CheckConfig> checks;
};

struct RunScript {
  static constexpr auto type = MessageType::run_script;
  std::uint64_t run = 0;
  std::string check;
  Duration timeout{};
};

struct CancelScript {
  static constexpr auto type = MessageType::cancel_script;
  std::uint64_t run = 0;
};

struct ScriptEnded {
  static constexpr auto type = MessageType::script_ended;
  std::uint64_t run = 0;
  checks::ScriptOutcome outcome;
};

// Guardian to monitor: which users may command, besides root.
struct ControlAccess {
  static constexpr auto type = MessageType::control_access;
  std::uint32_t owner = 0;
  std::optional<std::uint32_t> group;
};

// Monitor to guardian and router, every second: a sign of life.
struct Alive {
  static constexpr auto type = MessageType::alive;
};

struct ReloadRequest {
  static constexpr auto type = MessageType::reload_request;
  std::uint64_t id = 0;
  TimePoint until{};                  // drop the request later: its client no longer waits
  std::optional<Duration> confirm{};  // rolls back after this time unless confirmed
};

// Answered by Reloaded, like a reload.
struct ConfirmRequest {
  static constexpr auto type = MessageType::confirm_request;
  std::uint64_t id = 0;
  TimePoint until{};
};

struct ConfigurationRequest {
  static constexpr auto type = MessageType::configuration_request;
  std::uint64_t id = 0;
  std::vector<std::string> variables;  // of the environment, to be sent too
};

// The configuration in force, as conf/print writes it.
struct ConfigurationReply {
  static constexpr auto type = MessageType::configuration_reply;
  std::uint64_t id = 0;
  std::string node;  // the node whose section of the file applies
  std::string text;
  std::map<std::string, std::string> variables;  // the requested ones that exist
  std::set<std::string> interfaces;              // those that exist
};

struct UpgradeRequest {
  static constexpr auto type = MessageType::upgrade_request;
  std::uint64_t id = 0;
  TimePoint until{};
};

// Guardian to monitor: the new program is about to take over, or the reason why it is not.
struct Upgraded {
  static constexpr auto type = MessageType::upgraded;
  std::uint64_t id = 0;
  bool good = false;
  std::string text;
};

struct Reloaded {
  static constexpr auto type = MessageType::reloaded;
  std::uint64_t id = 0;
  bool good = false;
  std::string text;  // what was done, or all diagnostics
};

struct Program {
  std::int32_t pid = 0;  // 0: not running at the moment
  TimePoint since{};
  std::uint32_t restarts = 0;
};

// Guardian to monitor: from now on serve metrics at this socket; without a descriptor, do not serve them.
struct MetricsSocket {
  static constexpr auto type = MessageType::metrics_socket;
};

struct Programs {
  static constexpr auto type = MessageType::programs;
  std::string config_file;
  std::map<std::string, Program> programs;  // guardian, router, monitor
  std::optional<TimePoint> goes_back;       // when an unconfirmed reload rolls back
};

struct Health {
  static constexpr auto type = MessageType::health;
  std::vector<vrrp::CheckFact> facts;
};

// The results of checks that the router has, for a monitor that has just started.
struct KnownFacts {
  static constexpr auto type = MessageType::known_facts;
  vrrp::CheckFacts facts;
};

struct StatusRequest {
  static constexpr auto type = MessageType::status_request;
  std::uint64_t id = 0;
  bool measurements = false;  // also send these, which double the answer
};

struct LeaseStatus {
  std::string why_not;  // empty: it is on
  TimePoint until{};    // TimePoint{}: none at the moment
  std::uint64_t drops = 0;
};

struct StatusReply {
  static constexpr auto type = MessageType::status_reply;
  std::uint64_t id = 0;
  vrrp::Status status;
  std::map<vrrp::RouterKey, LeaseStatus> leases{};
  std::map<vrrp::RouterKey, Activity> activity{};
  std::map<vrrp::RouterKey, vrrp::Measurements> measurements;  // if they were requested
};

struct Command {
  static constexpr auto type = MessageType::command;
  std::uint64_t id = 0;
  TimePoint until{};
  std::string router;  // name of the entry
  bool back = false;   // take part by priority again
};

struct CommandDone {
  static constexpr auto type = MessageType::command_done;
  std::uint64_t id = 0;
  bool good = false;
  std::string text;
};

struct RecordRequest {
  static constexpr auto type = MessageType::record_request;
  std::uint64_t id = 0;
};

// The most recent engine inputs of the router, as record::Recorder keeps them.
struct RecordReply {
  static constexpr auto type = MessageType::record_reply;
  std::uint64_t id = 0;
  std::vector<std::uint8_t> contents;
};

// To the guardian: events of the sender. From the guardian to the monitor: all events of this node, numbered.
struct Happened {
  static constexpr auto type = MessageType::happened;
  std::vector<events::Event> events;
  std::uint64_t last{};  // from the guardian: the number of the last one
};

// Monitor to guardian: it has accepted the events up to this one. After a restart the guardian sends it those
// that follow.
struct EventsTaken {
  static constexpr auto type = MessageType::events_taken;
  std::uint64_t last = 0;  // as in Happened
};

// Guardian to monitor: where the journal of events is, and how much of it is kept.
struct EventSettings {
  static constexpr auto type = MessageType::event_settings;
  std::string directory;
  std::uint64_t size = 0;  // bytes
  Duration age{};
};

// Guardian to monitor: where to send events. The guardian has read the secrets.
struct DeliverySettings {
  static constexpr auto type = MessageType::delivery_settings;
  struct One {
    std::string router;  // name of an entry; empty: all
    std::optional<events::Webhook> webhook;
    std::optional<events::Mail> mail;
    std::string secret;  // of the webhook's signature, or the mail server's password
    bool operator==(const One&) const = default;
  };
  std::vector<One> all;
};

template <class A>
constexpr void fields(A& a, Is<Configure> auto& m) {
  a("routers", m.routers)("adopted", m.adopted);
}
template <class A>
constexpr void fields(A&, Is<Stop> auto&) {}
template <class A>
constexpr void fields(A&, Is<MetricsSocket> auto&) {}
template <class A>
constexpr void fields(A&, Is<Ready> auto&) {}
template <class A>
constexpr void fields(A&, Is<Stopped> auto&) {}
template <class A>
constexpr void fields(A& a, Is<WantedLeases::Place> auto& m) {
  a("interface_index", m.interface_index)("addresses", m.addresses);
}
template <class A>
constexpr void fields(A& a, Is<WantedLeases> auto& m) {
  a("routers", m.routers);
}
template <class A>
constexpr void fields(A& a, Is<Leases> auto& m) {
  a("slots", m.slots)("why_not", m.why_not);
}
template <class A>
constexpr void fields(A& a, Is<LeaseStatus> auto& m) {
  a("why_not", m.why_not)("until", m.until)("drops", m.drops);
}
template <class A>
constexpr void fields(A& a, Is<Checks> auto& m) {
  a("checks", m.checks);
}
template <class A>
constexpr void fields(A& a, Is<RunScript> auto& m) {
  a("run", m.run)("check", m.check)("timeout", m.timeout);
}
template <class A>
constexpr void fields(A& a, Is<CancelScript> auto& m) {
  a("run", m.run);
}
template <class A>
constexpr void fields(A& a, Is<ScriptEnded> auto& m) {
  a("run", m.run)("outcome", m.outcome);
}
template <class A>
constexpr void fields(A& a, Is<ControlAccess> auto& m) {
  a("owner", m.owner)("group", m.group);
}
template <class A>
constexpr void fields(A&, Is<Alive> auto&) {}
template <class A>
constexpr void fields(A& a, Is<ReloadRequest> auto& m) {
  a("id", m.id)("until", m.until)("confirm", m.confirm);
}
template <class A>
constexpr void fields(A& a, Is<ConfirmRequest> auto& m) {
  a("id", m.id)("until", m.until);
}
template <class A>
constexpr void fields(A& a, Is<ConfigurationRequest> auto& m) {
  a("id", m.id)("variables", m.variables);
}
template <class A>
constexpr void fields(A& a, Is<ConfigurationReply> auto& m) {
  a("id", m.id)("node", m.node)("text", m.text)("variables", m.variables)("interfaces", m.interfaces);
}
template <class A>
constexpr void fields(A& a, Is<UpgradeRequest> auto& m) {
  a("id", m.id)("until", m.until);
}
template <class A>
constexpr void fields(A& a, Is<Upgraded> auto& m) {
  a("id", m.id)("good", m.good)("text", m.text);
}
template <class A>
constexpr void fields(A& a, Is<Reloaded> auto& m) {
  a("id", m.id)("good", m.good)("text", m.text);
}
template <class A>
constexpr void fields(A& a, Is<Program> auto& m) {
  a("pid", m.pid)("since", m.since)("restarts", m.restarts);
}
template <class A>
constexpr void fields(A& a, Is<Programs> auto& m) {
  a("config_file", m.config_file)("programs", m.programs)("goes_back", m.goes_back);
}
template <class A>
constexpr void fields(A& a, Is<Health> auto& m) {
  a("facts", m.facts);
}
template <class A>
constexpr void fields(A& a, Is<KnownFacts> auto& m) {
  a("facts", m.facts);
}
template <class A>
constexpr void fields(A& a, Is<StatusRequest> auto& m) {
  a("id", m.id)("measurements", m.measurements);
}
template <class A>
constexpr void fields(A& a, Is<StatusReply> auto& m) {
  a("id", m.id)("status", m.status)("leases", m.leases)("activity", m.activity)("measurements",
                                                                                m.measurements);
}
template <class A>
constexpr void fields(A& a, Is<Command> auto& m) {
  a("id", m.id)("until", m.until)("router", m.router)("back", m.back);
}
template <class A>
constexpr void fields(A& a, Is<CommandDone> auto& m) {
  a("id", m.id)("good", m.good)("text", m.text);
}
template <class A>
constexpr void fields(A& a, Is<RecordRequest> auto& m) {
  a("id", m.id);
}
template <class A>
constexpr void fields(A& a, Is<RecordReply> auto& m) {
  a("id", m.id)("contents", m.contents);
}
template <class A>
constexpr void fields(A& a, Is<Happened> auto& m) {
  a("events", m.events)("last", m.last);
}
template <class A>
constexpr void fields(A& a, Is<EventsTaken> auto& m) {
  a("last", m.last);
}
template <class A>
constexpr void fields(A& a, Is<DeliverySettings::One> auto& m) {
  a("router", m.router)("webhook", m.webhook)("mail", m.mail)("secret", m.secret);
}
// Exactly one of the two: a webhook or a mail.
inline bool valid(const DeliverySettings::One& one) {
  return one.webhook.has_value() != one.mail.has_value();
}
template <class A>
constexpr void fields(A& a, Is<DeliverySettings> auto& m) {
  a("all", m.all);
}
template <class A>
constexpr void fields(A& a, Is<EventSettings> auto& m) {
  a("directory", m.directory)("size", m.size)("age", m.age);
}

}  // namespace vipd::programs
