// What guardian and monitor tell each other.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

#include "checks/script_executor.h"
#include "checks/settings/check_archive.h"
#include "events/hooks.h"
#include "io/fd.h"
#include "programs/common/messages.h"

namespace vipd::programs {

// --- to the monitor -----------------------------------------------------------------------------------

// Which users may command, besides root.
struct ControlAccess {
  static constexpr auto type = MessageType::control_access;
  std::uint32_t owner = 0;
  std::optional<std::uint32_t> group;
};
template <class A>
constexpr void fields(A& a, Is<ControlAccess> auto& m) {
  a("owner", m.owner)("group", m.group);
}

struct Checks {
  static constexpr auto type = MessageType::checks;
  std::vector<checks::CheckConfig> checks;
};
template <class A>
constexpr void fields(A& a, Is<Checks> auto& m) {
  a("checks", m.checks);
}

// The channel to the router.
struct RouterLink {
  static constexpr auto type = MessageType::router_link;
  io::Fd descriptor;
};
template <class A>
constexpr void fields(A&, Is<RouterLink> auto&) {}

struct ScriptEnded {
  static constexpr auto type = MessageType::script_ended;
  std::uint64_t run = 0;
  checks::ScriptOutcome outcome;
};
template <class A>
constexpr void fields(A& a, Is<ScriptEnded> auto& m) {
  a("run", m.run)("outcome", m.outcome);
}

struct Reloaded {
  static constexpr auto type = MessageType::reloaded;
  std::uint64_t id = 0;
  bool good = false;
  std::string text;  // what was done, or all diagnostics
};
template <class A>
constexpr void fields(A& a, Is<Reloaded> auto& m) {
  a("id", m.id)("good", m.good)("text", m.text);
}

// The new program is about to take over, or the reason why it is not.
struct Upgraded {
  static constexpr auto type = MessageType::upgraded;
  std::uint64_t id = 0;
  bool good = false;
  std::string text;
};
template <class A>
constexpr void fields(A& a, Is<Upgraded> auto& m) {
  a("id", m.id)("good", m.good)("text", m.text);
}

struct Program {
  std::int32_t pid = 0;  // 0: not running at the moment
  TimePoint since{};
  std::uint32_t restarts = 0;
};
template <class A>
constexpr void fields(A& a, Is<Program> auto& m) {
  a("pid", m.pid)("since", m.since)("restarts", m.restarts);
}

struct Programs {
  static constexpr auto type = MessageType::programs;
  std::string config_file;
  std::map<std::string, Program> programs;  // guardian, router, monitor
  std::optional<TimePoint> goes_back;       // when an unconfirmed reload rolls back
};
template <class A>
constexpr void fields(A& a, Is<Programs> auto& m) {
  a("config_file", m.config_file)("programs", m.programs)("goes_back", m.goes_back);
}

// The configuration in force, as conf/print writes it.
struct ConfigurationReply {
  static constexpr auto type = MessageType::configuration_reply;
  std::uint64_t id = 0;
  std::string node;  // the node whose section of the file applies
  std::string text;
  std::map<std::string, std::string> variables;  // the requested ones that exist
  std::set<std::string> interfaces;              // those that exist
};
template <class A>
constexpr void fields(A& a, Is<ConfigurationReply> auto& m) {
  a("id", m.id)("node", m.node)("text", m.text)("variables", m.variables)("interfaces", m.interfaces);
}

// Where the journal of events is, and how much of it is kept.
struct EventSettings {
  static constexpr auto type = MessageType::event_settings;
  std::string directory;
  std::uint64_t size = 0;  // bytes
  Duration age{};
};
template <class A>
constexpr void fields(A& a, Is<EventSettings> auto& m) {
  a("directory", m.directory)("size", m.size)("age", m.age);
}

// Where to send events. The guardian has read the secrets.
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

// From now on serve metrics at this socket; without a descriptor, do not serve them.
struct MetricsSocket {
  static constexpr auto type = MessageType::metrics_socket;
  io::Fd descriptor;
};
template <class A>
constexpr void fields(A&, Is<MetricsSocket> auto&) {}

using GuardianToMonitor =
    std::variant<ControlAccess, Checks, RouterLink, ScriptEnded, Reloaded, Upgraded, Programs,
                 ConfigurationReply, EventSettings, DeliverySettings, MetricsSocket, Happened>;

// --- to the guardian ----------------------------------------------------------------------------------

struct RunScript {
  static constexpr auto type = MessageType::run_script;
  std::uint64_t run = 0;
  std::string check;
  Duration timeout{};
};
template <class A>
constexpr void fields(A& a, Is<RunScript> auto& m) {
  a("run", m.run)("check", m.check)("timeout", m.timeout);
}

struct CancelScript {
  static constexpr auto type = MessageType::cancel_script;
  std::uint64_t run = 0;
};
template <class A>
constexpr void fields(A& a, Is<CancelScript> auto& m) {
  a("run", m.run);
}

struct ReloadRequest {
  static constexpr auto type = MessageType::reload_request;
  std::uint64_t id = 0;
  TimePoint until{};                  // drop the request later: its client no longer waits
  std::optional<Duration> confirm{};  // rolls back after this time unless confirmed
};
template <class A>
constexpr void fields(A& a, Is<ReloadRequest> auto& m) {
  a("id", m.id)("until", m.until)("confirm", m.confirm);
}

// Answered by Reloaded, like a reload.
struct ConfirmRequest {
  static constexpr auto type = MessageType::confirm_request;
  std::uint64_t id = 0;
  TimePoint until{};
};
template <class A>
constexpr void fields(A& a, Is<ConfirmRequest> auto& m) {
  a("id", m.id)("until", m.until);
}

struct UpgradeRequest {
  static constexpr auto type = MessageType::upgrade_request;
  std::uint64_t id = 0;
  TimePoint until{};
};
template <class A>
constexpr void fields(A& a, Is<UpgradeRequest> auto& m) {
  a("id", m.id)("until", m.until);
}

struct ConfigurationRequest {
  static constexpr auto type = MessageType::configuration_request;
  std::uint64_t id = 0;
  std::vector<std::string> variables;  // of the environment, to be sent too
};
template <class A>
constexpr void fields(A& a, Is<ConfigurationRequest> auto& m) {
  a("id", m.id)("variables", m.variables);
}

// It has accepted the events up to this one. After a restart the guardian sends it those
// that follow.
struct EventsTaken {
  static constexpr auto type = MessageType::events_taken;
  std::uint64_t last = 0;  // as in Happened
};
template <class A>
constexpr void fields(A& a, Is<EventsTaken> auto& m) {
  a("last", m.last);
}

using MonitorToGuardian = std::variant<RunScript, CancelScript, ReloadRequest, ConfirmRequest, UpgradeRequest,
                                       ConfigurationRequest, EventsTaken, Happened, Alive>;

}  // namespace vipd::programs
