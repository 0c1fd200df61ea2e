// `vipctl record` writes the most recent protocol inputs of a running vipd-router as text. `vipctl replay
// FILE` feeds such a text to an engine and explains each change of state; it needs no running vipd.
#pragma once

#include <iosfwd>
#include <string>

#include "base/result.h"

namespace vipd::ctl {

// reply: that of vipd to "record", in base64.
Result<std::string> recording_text(const std::string& reply);

// Exit codes.
constexpr int replay_ok = 0;
constexpr int replay_bad = 1;         // not a recording, or damaged: err has the place and the remedy
constexpr int replay_unreadable = 2;  // the file cannot be read

// A file, or "-" for standard input. Writes a line for each occurrence; with json a list:
//     [{"time_s", "router", "text"}, ...]
int replay(const std::string& file, bool json, std::ostream& out, std::ostream& err);

}  // namespace vipd::ctl
