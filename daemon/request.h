// Request: what a client of the control socket asks for, out of the line that it sent. Whether it may is the
// business of the monitor.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/time.h"

namespace vipd::daemon {

constexpr int protocol_version = 1;  // of the control socket
constexpr Duration shortest_confirmation = std::chrono::seconds(1);
constexpr Duration longest_confirmation = std::chrono::hours(1);

struct Request {
  std::string command;                   // one of those in vipctl(8)
  std::string router;                    // name of the entry, or empty
  bool back = false;                     // switch: take part by priority again
  bool follow = false;                   // events: those to come too
  std::optional<Duration> confirm{};     // reload: goes back after this, unless it is confirmed
  std::vector<std::string> variables{};  // configuration: of vipd's environment, to be told too

  // For the audit line: "switch --back web". Names that are none cannot forge lines.
  std::string text() const;
  bool is_command() const;  // changes something, or shows what not everybody may see
};

struct BadRequest {
  std::string message;  // for the client to read
  Request request;      // as far as it was understood, for the audit line; without a command, if that was not
};

tl::expected<Request, BadRequest> parse_request(const std::string& line);

}  // namespace vipd::daemon
