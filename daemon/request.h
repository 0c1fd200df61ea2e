// Request: what a client of the control socket asks for, out of the line that it sent. Whether it may is the
// business of the monitor.
#pragma once

#include <string>

#include "base/result.h"

namespace vipd::daemon {

constexpr int protocol_version = 1;  // of the control socket

struct Request {
  std::string command;  // one of those in vipctl(8)
  std::string router;   // name of the entry, or empty
  bool back = false;    // switch: take part by priority again

  // For the audit line: "switch --back web". Names that are none cannot forge lines.
  std::string text() const;
  bool is_command() const;  // changes something: not everybody may
};

// An Error is for the client to read.
Result<Request> parse_request(const std::string& line);

}  // namespace vipd::daemon
