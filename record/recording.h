// Recording: the inputs of a router's engine with their times: all that determines its behaviour. `vipctl
// record` writes it as text, `vipctl replay` and the scenario tests read that text, and people may read and
// edit it.
//
// A line is a time in seconds since the recording begins, a word, and fields (here some lines are wrapped):
//
//     recording 1
//     0.000000000 interface eth0 index=2 up=true running=true mtu=1500 mac=02:00:00:00:00:01
//                 address=192.0.2.1/24
//     0.000000000 router edge interface=eth0 vrid=51 family=IPv4 priority=250 interval=1s
//                 address=192.0.2.10/24 ...
//     0.000000000 configure
//     1.200034511 packet eth0 from=192.0.2.2 to=224.0.0.18 hop=255
//                 data=3133c801006477e0c000020a  # priority 200
//     4.418784511 tick
//
// If a recording does not reach back to the start of the router, it begins with the state at that time, as a
// successor would adopt it; the timer of a Backup then starts again.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "vrrp/input.h"

namespace vipd::record {

struct Entry {
  TimePoint when{};
  vrrp::Input event;
};

struct Recording {
  std::vector<Entry> entries;  // in the order of their times
};

std::string to_text(const Recording& recording);

// Errors name the line and the remedy. A line of dashes ends the recording: below it a scenario has its
// expected output. Every accepted recording can be replayed.
Result<Recording> parse(std::string_view text);

// Whether the text begins as a recording does.
bool is_recording(std::string_view text);

}  // namespace vipd::record
