// Events (events/event.h) in the log: a line each, and in the systemd journal their fields too.
#pragma once

#include "events/event.h"
#include "programs/common/log.h"

namespace vipd::programs {

// "edge, VRID 51 on eth0 (IPv4): Backup -> Active (priority 250): ...".
std::string log_line(const events::Event& event);

void log_event(Log& log, const events::Event& event);
// For events that any host can cause: at most one in ten seconds for each key. false: this one was dropped;
// the next one has the number of dropped ones.
bool log_limited(Log& log, const std::string& key, events::Event& event);

}  // namespace vipd::programs
