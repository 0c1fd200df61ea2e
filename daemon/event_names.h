// The stable names of what the programs note beside the engine (vrrp/events.h); the manual explains each.
#pragma once

#include <array>
#include <string_view>

namespace vipd::daemon::events {

constexpr std::string_view check_changed = "check_changed";
constexpr std::string_view program_restarted = "program_restarted";
constexpr std::string_view reloaded = "reloaded";
constexpr std::string_view upgraded = "upgraded";
constexpr std::string_view command = "command";
constexpr std::string_view flooded = "flooded";

inline constexpr std::array all{check_changed, program_restarted, reloaded, upgraded, command, flooded};

}  // namespace vipd::daemon::events
