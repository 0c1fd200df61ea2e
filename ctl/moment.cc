#include "ctl/moment.h"

#include <fmt/format.h>

#include <array>
#include <ctime>
#include <optional>

#include "base/time.h"
#include "base/words.h"
#include "events/line.h"

namespace vipd::ctl {

namespace {
std::tm local(events::WallTime time) {
  const auto seconds = std::chrono::system_clock::to_time_t(time);
  std::tm parts{};
  localtime_r(&seconds, &parts);
  return parts;
}

events::WallTime from_local(std::tm parts) {
  parts.tm_isdst = -1;
  return std::chrono::time_point_cast<std::chrono::milliseconds>(
      std::chrono::system_clock::from_time_t(std::mktime(&parts)));
}

events::WallTime midnight(events::WallTime now, int days_before) {
  auto parts = local(now);
  parts.tm_hour = parts.tm_min = parts.tm_sec = 0;
  parts.tm_mday -= days_before;
  return from_local(parts);
}

// Reads the fields in the format; the others are those of midnight.
std::optional<events::WallTime> read(const std::string& text, const char* format, events::WallTime now) {
  auto parts = local(midnight(now, 0));
  const char* const end = strptime(text.c_str(), format, &parts);
  if (end == nullptr || *end != '\0') return std::nullopt;
  const auto time = from_local(parts);
  if (local(time).tm_mday != parts.tm_mday) return std::nullopt;  // February has no 30th
  return time;
}
}  // namespace

Result<events::WallTime> parse_moment(const std::string& text, events::WallTime now) {
  if (text == "now") return now;
  if (text == "today") return midnight(now, 0);
  if (text == "yesterday") return midnight(now, 1);
  if (const auto ago = parse_duration(text))
    return now - std::chrono::duration_cast<std::chrono::milliseconds>(*ago);
  if (const auto time = events::parse_rfc3339(text)) return *time;
  constexpr std::array formats{"%F %T", "%FT%T", "%F %R", "%F", "%T", "%R"};
  for (const auto* format : formats)
    if (const auto time = read(text, format, now)) return *time;
  return failure(fmt::format(
      "{} is not a time: write 5m, 11:27, 2026-11-21, \"2026-11-21 11:27:00\" or yesterday", quote(text)));
}

}  // namespace vipd::ctl
