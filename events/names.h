// The stable names of the programs' events besides those of the engine (vrrp/event_names.h). events/catalogue.h
// has the meaning and the severity of each; the manual explains each.
#pragma once

#include <string_view>

namespace vipd::events {

constexpr std::string_view started = "started";
constexpr std::string_view killed = "killed";
constexpr std::string_view stopping = "stopping";
constexpr std::string_view check_changed = "check_changed";
constexpr std::string_view lease_changed = "lease_changed";
constexpr std::string_view program_restarted = "program_restarted";
constexpr std::string_view held = "held";
constexpr std::string_view hold_ended = "hold_ended";
constexpr std::string_view given_up = "given_up";
constexpr std::string_view reloaded = "reloaded";
constexpr std::string_view reload_refused = "reload_refused";
constexpr std::string_view reload_confirmed = "reload_confirmed";
constexpr std::string_view reload_undone = "reload_undone";
constexpr std::string_view upgraded = "upgraded";
constexpr std::string_view upgrade_refused = "upgrade_refused";
constexpr std::string_view command = "command";
constexpr std::string_view command_refused = "command_refused";
constexpr std::string_view flooded = "flooded";
constexpr std::string_view events_lost = "events_lost";
constexpr std::string_view journal_failed = "journal_failed";
constexpr std::string_view hook_failed = "hook_failed";
constexpr std::string_view hook_dropped = "hook_dropped";
constexpr std::string_view hook_recovered = "hook_recovered";
constexpr std::string_view journal_resumed = "journal_resumed";

}  // namespace vipd::events
