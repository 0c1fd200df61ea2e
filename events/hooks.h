// Hooks: the configured reactions to events: programs, a FIFO, systemd units, a webhook, mail. Plain data;
// programs/guardian/hook_runner runs programs, programs/monitor/delivery sends.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/archive.h"
#include "base/time.h"
#include "events/catalogue.h"

namespace vipd::events {

// The arguments that a program gets after its own, and the format of the FIFO.
enum class HookArguments : std::uint8_t {
  none,        // no more arguments; lines of JSON
  keepalived,  // INSTANCE NAME MASTER|BACKUP|FAULT|STOP PRIORITY
};

// HTTP POST of the event's JSON.
struct Webhook {
  std::string url;
  std::string secret_file;  // of the signature; empty: none
  Duration timeout = std::chrono::seconds(10);
  Severity severity = Severity::p2;  // minimum, besides changes of state
  bool operator==(const Webhook&) const = default;
};

struct Mail {
  std::string smtp;  // "smtp://mail.example.com:25"
  std::string from;
  std::vector<std::string> to;
  std::string user;           // empty: no login
  std::string password_file;  // ... its password
  Duration timeout = std::chrono::seconds(30);
  Severity severity = Severity::p1;
  bool operator==(const Mail&) const = default;
};

// The hooks of one entry, or the global ones.
struct Hooks {
  std::vector<std::string> on_active;  // argv; empty: none
  std::vector<std::string> on_backup;
  std::vector<std::string> on_initialize;
  std::vector<std::string> on_event;
  Severity severity = Severity::p2;  // minimum for on_event and the FIFO
  std::string user;                  // that programs run as; empty: the one of checks
  Duration timeout = std::chrono::seconds(60);
  HookArguments arguments = HookArguments::none;
  std::string fifo;
  std::vector<std::string> start_units;  // when the entry becomes Active
  std::vector<std::string> stop_units;   // when it stops being Active
  std::optional<Webhook> webhook;
  std::optional<Mail> mail;
  bool operator==(const Hooks&) const = default;
};

template <class A>
constexpr void fields(A& a, Is<Webhook> auto& w) {
  a("url", w.url)("secret_file", w.secret_file)("timeout", w.timeout)("severity", w.severity);
}
template <class A>
constexpr void fields(A& a, Is<Mail> auto& m) {
  a("smtp", m.smtp)("from", m.from)("to", m.to)("user", m.user)("password_file", m.password_file)(
      "timeout", m.timeout)("severity", m.severity);
}

}  // namespace vipd::events
