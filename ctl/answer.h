// Answer: reads the answers of vipd. vipd may have another version than this vipctl, and its texts may come
// from scripts and servers: a part that is missing or has another type reads as null, zero or empty, and no
// text can control the terminal.
#pragma once

#include <cstdint>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>

#include "base/result.h"

namespace vipd::ctl {

// The result of a reply, or the reason why vipd refused: an Error without a code; EPERM: permission denied.
// EPROTO: not a reply.
Result<nlohmann::json> parse_reply(const std::string& line);

// The event in a line that follows the request "watch": an object; null if it is not an event.
nlohmann::json parse_event(const std::string& line);

// For the terminal: control characters become question marks.
enum class LineBreaks { stay, go };
std::string printable(std::string text, LineBreaks breaks = LineBreaks::go);

const nlohmann::json& part(const nlohmann::json& object, std::string_view key);  // null if missing
const nlohmann::json& list(const nlohmann::json& object,
                           std::string_view key);  // empty if missing
std::string text(const nlohmann::json& value);     // printable, or empty
std::string text(const nlohmann::json& object, std::string_view key);
double number(const nlohmann::json& object, std::string_view key);  // or 0
std::int64_t whole(const nlohmann::json& object, std::string_view key);
bool truth(const nlohmann::json& object, std::string_view key, bool otherwise = false);

}  // namespace vipd::ctl
