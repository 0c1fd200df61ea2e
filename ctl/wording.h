// Wording: how vipctl writes times and states for people, wherever it does.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

namespace vipd::ctl {

std::string age(double seconds);  // 0.42 s, 37 s, 12 min, 3 h, 5 d

// Of a reload that waits to be confirmed, with what is left of its time; empty if this status has none.
std::string waiting_reload(const nlohmann::json& status);

// The number of an ANSI colour: of a virtual router's state, of a check's, of an event's severity ("" for
// none).
std::string_view state_colour(std::string_view state);
std::string_view check_colour(std::string_view state);
std::string_view severity_colour(std::string_view severity);

std::string coloured(const std::string& word, std::string_view colour, bool colours);

}  // namespace vipd::ctl
