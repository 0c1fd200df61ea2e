// An event as a line of JSON: in the journal on disk, on the control socket, and for hooks.
//
//   {"id":"6920a1b2-17","time":"2026-11-21T11:27:00.123Z","monotonic_s":81234.125,"event":"state_changed",
//    "severity":"P2","router":"edge","virtual_router":"VRID 51 on eth0 (IPv4)",
//    "fields":{"priority":250,"state":"Active"},"text":"Backup -> Active (priority 250): ..."}
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>

#include "events/event.h"

namespace vipd::events {

constexpr std::size_t longest_text = 8192;  // bytes of a sentence; longer ones are cut

nlohmann::ordered_json to_json(const Event& event);
std::string to_line(const Event& event);  // without a line break

// Nothing if it is not such a line: truncated by a crash, or of another program.
std::optional<Event> parse_line(std::string_view line);

// RFC 3339 in UTC, with milliseconds: "2026-11-21T11:27:00.123Z".
std::string rfc3339(WallTime time);
// The same with any fraction or none, "Z" or an offset such as "+01:00".
std::optional<WallTime> parse_rfc3339(std::string_view text);

}  // namespace vipd::events
