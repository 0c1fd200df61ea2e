// Moment: a point in time on a command line.
//
//   5m  2h  3d                         that long ago
//   2026-11-21T11:27:00Z               RFC 3339
//   2026-11-21 11:27:00, 2026-11-21    in the time zone of this host
//   11:27, 11:27:00                    today
//   now, today, yesterday
#pragma once

#include <string>

#include "base/result.h"
#include "events/event.h"

namespace vipd::ctl {

Result<events::WallTime> parse_moment(const std::string& text, events::WallTime now);

}  // namespace vipd::ctl
