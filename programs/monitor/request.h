// Request: a client's line on the control socket, parsed. The monitor checks the permission.
#pragma once

#include <optional>
#include <string>
#include <tl/expected.hpp>
#include <vector>

#include "base/time.h"

namespace vipd::programs {

constexpr int protocol_version = 1;  // of the control socket
constexpr Duration shortest_confirmation = std::chrono::seconds(1);
constexpr Duration longest_confirmation = std::chrono::hours(1);

struct Request {
  std::string command;                   // one of those in vipctl(8)
  std::string router;                    // name of the entry, or empty
  bool back = false;                     // switch: take part by priority again
  bool follow = false;                   // events: continue with new ones
  std::optional<Duration> confirm{};     // reload: rolls back after this time unless confirmed
  std::vector<std::string> variables{};  // configuration: names of variables of vipd's environment to send

  // For the audit line: "switch --back web". Invalid names cannot forge lines.
  std::string text() const;
  bool is_command() const;  // changes something, or shows something confidential
};

struct BadRequest {
  std::string message;  // for the client
  Request request;  // as far as it could be parsed, for the audit line; the command is empty if it could not
};

tl::expected<Request, BadRequest> parse_request(const std::string& line);

}  // namespace vipd::programs
