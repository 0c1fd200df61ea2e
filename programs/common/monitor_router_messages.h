// What monitor and router tell each other.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "io/fd.h"
#include "programs/common/activity.h"
#include "programs/common/messages.h"
#include "vrrp/measurements.h"
#include "vrrp/status.h"

namespace vipd::programs {

// --- to the router ------------------------------------------------------------------------------------

struct Health {
  static constexpr auto type = MessageType::health;
  std::vector<vrrp::CheckFact> facts;
};
template <class A>
constexpr void fields(A& a, Is<Health> auto& m) {
  a("facts", m.facts);
}

struct StatusRequest {
  static constexpr auto type = MessageType::status_request;
  std::uint64_t id = 0;
  bool measurements = false;  // also send these, which double the answer
};
template <class A>
constexpr void fields(A& a, Is<StatusRequest> auto& m) {
  a("id", m.id)("measurements", m.measurements);
}

struct RecordRequest {
  static constexpr auto type = MessageType::record_request;
  std::uint64_t id = 0;
};
template <class A>
constexpr void fields(A& a, Is<RecordRequest> auto& m) {
  a("id", m.id);
}

struct Command {
  static constexpr auto type = MessageType::command;
  std::uint64_t id = 0;
  TimePoint until{};
  std::string router;  // name of the entry
  bool back = false;   // take part by priority again
};
template <class A>
constexpr void fields(A& a, Is<Command> auto& m) {
  a("id", m.id)("until", m.until)("router", m.router)("back", m.back);
}

using MonitorToRouter = std::variant<Health, StatusRequest, RecordRequest, Command, Alive>;

// --- to the monitor -----------------------------------------------------------------------------------

// The results of checks that the router has, for a monitor that has just started.
struct KnownFacts {
  static constexpr auto type = MessageType::known_facts;
  vrrp::CheckFacts facts;
};
template <class A>
constexpr void fields(A& a, Is<KnownFacts> auto& m) {
  a("facts", m.facts);
}

struct LeaseStatus {
  std::string why_not;  // empty: it is on
  TimePoint until{};    // TimePoint{}: none at the moment
  std::uint64_t drops = 0;
};
template <class A>
constexpr void fields(A& a, Is<LeaseStatus> auto& m) {
  a("why_not", m.why_not)("until", m.until)("drops", m.drops);
}

struct StatusReply {
  static constexpr auto type = MessageType::status_reply;
  std::uint64_t id = 0;
  vrrp::Status status;
  std::map<vrrp::RouterKey, LeaseStatus> leases{};
  std::map<vrrp::RouterKey, Activity> activity{};
  std::map<vrrp::RouterKey, vrrp::Measurements> measurements;  // if they were requested
};
template <class A>
constexpr void fields(A& a, Is<StatusReply> auto& m) {
  a("id", m.id)("status", m.status)("leases", m.leases)("activity", m.activity)("measurements",
                                                                                m.measurements);
}

// The most recent engine inputs of the router, as record::Recorder keeps them.
struct RecordReply {
  static constexpr auto type = MessageType::record_reply;
  std::uint64_t id = 0;
  std::vector<std::uint8_t> contents;
};
template <class A>
constexpr void fields(A& a, Is<RecordReply> auto& m) {
  a("id", m.id)("contents", m.contents);
}

struct CommandDone {
  static constexpr auto type = MessageType::command_done;
  std::uint64_t id = 0;
  bool good = false;
  std::string text;
};
template <class A>
constexpr void fields(A& a, Is<CommandDone> auto& m) {
  a("id", m.id)("good", m.good)("text", m.text);
}

// A socket that is not used any more: closing it may take long, so the monitor does it.
struct Discard {
  static constexpr auto type = MessageType::discard;
  io::Fd descriptor;
};
template <class A>
constexpr void fields(A&, Is<Discard> auto&) {}

using RouterToMonitor = std::variant<KnownFacts, StatusReply, RecordReply, CommandDone, Discard>;

}  // namespace vipd::programs
