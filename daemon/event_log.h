// How events (events/event.h) stand in the log: as a line, and with their fields in the systemd journal.
#pragma once

#include "daemon/log.h"
#include "events/event.h"

namespace vipd::daemon {

// "edge, VRID 51 on eth0 (IPv4): Backup -> Active (priority 250): ...".
std::string log_line(const events::Event& event);

void log_event(Log& log, const events::Event& event);
// What strangers can cause at will: at most one in ten seconds for each key. false: this one was left out; the
// next one says how many were.
bool log_limited(Log& log, const std::string& key, events::Event& event);

}  // namespace vipd::daemon
