// `vipctl record` and `vipctl replay FILE`: what a running vipd-router was told of late, as a text; and what
// an engine makes of such a text, with an explanation for each change of state. The latter needs no daemon.
#pragma once

#include <iosfwd>
#include <string>

#include "base/result.h"

namespace vipd::ctl {

// The text of what vipd has replied to "record", in base64.
Result<std::string> recording_text(const std::string& reply);

// Exit codes.
constexpr int replay_ok = 0;
constexpr int replay_bad = 1;         // it is no recording, or damaged: err says where and what to do
constexpr int replay_unreadable = 2;  // the file cannot be read

// A file, or "-" for standard input. For people a line for each thing that happened; with json a list:
//     [{"time_s", "router", "text"}, ...]
int replay(const std::string& file, bool json, std::ostream& out, std::ostream& err);

}  // namespace vipd::ctl
