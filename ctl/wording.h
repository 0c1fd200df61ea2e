// Wording: how vipctl writes durations, states and long lines for people.
#pragma once

#include <cstddef>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace vipd::ctl {

std::string age(double seconds);  // as in_words() in base/time.h

// What an unconfirmed reload will do, and when; empty if this status has none.
std::string waiting_reload(const nlohmann::json& status);

// "the monitor program is not running" or "... has been restarted 3 times"; empty if it has done neither.
std::string program_trouble(const std::string& name, const nlohmann::json& program);

// How many columns a text in UTF-8 takes, one for each character.
std::size_t characters(std::string_view text);

// Breaks a text at its spaces into lines of at most `columns` characters. A word that is longer than a line
// is broken too: nothing is lost.
std::vector<std::string> wrapped(std::string_view text, std::size_t columns);

// The number of an ANSI colour ("" for none) of a virtual router's state, a check's state, an event's
// severity.
constexpr std::string_view red = "31";
constexpr std::string_view yellow = "33";
std::string_view state_colour(std::string_view state);
std::string_view check_colour(std::string_view state);
std::string_view severity_colour(std::string_view severity);

std::string coloured(const std::string& word, std::string_view colour, bool colours);

}  // namespace vipd::ctl
