// Answer: reading what vipd answers. It may be of another version than this vipctl, and what it passes on
// comes from scripts and servers: a part that is missing or of another kind reads as nothing, and no text can
// command the terminal.
#pragma once

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vipd::ctl {

// A reply's result, or why vipd refused (an Error without a code; EPERM: it does not permit it). EPROTO: it
// is no reply.
Result<nlohmann::json> parse_reply(const std::string& line);

// What a line brings after the request "watch": an object; null if it is no event.
nlohmann::json parse_event(const std::string& line);

// For the terminal: control characters become question marks.
enum class LineBreaks { stay, go };
std::string printable(std::string text, LineBreaks breaks = LineBreaks::go);

const nlohmann::json& part(const nlohmann::json& object, std::string_view key);  // null if it is not there
const nlohmann::json& list(const nlohmann::json& object,
                           std::string_view key);  // an empty one, if it is none
std::string text(const nlohmann::json& value);     // printable, or empty
std::string text(const nlohmann::json& object, std::string_view key);
double number(const nlohmann::json& object, std::string_view key);  // or 0
std::int64_t whole(const nlohmann::json& object, std::string_view key);
bool truth(const nlohmann::json& object, std::string_view key, bool otherwise = false);

}  // namespace vipd::ctl
