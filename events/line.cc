#include "events/line.h"

#include <fmt/chrono.h>
#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cmath>
#include <nlohmann/json.hpp>

namespace vipd::events {

namespace {
using nlohmann::json;
using nlohmann::ordered_json;

// The numeric fields.
constexpr std::array<std::string_view, 3> numbers{"vrid", "priority", "count"};

bool is_number(std::string_view name) {
  return std::find(numbers.begin(), numbers.end(), name) != numbers.end();
}

std::optional<std::int64_t> whole(std::string_view text) {
  std::int64_t value = 0;
  const auto [end, code] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (code != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::string text_of(const json& object, const char* key) {
  const auto found = object.find(key);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

Fields fields_of(const json& object) {
  Fields fields;
  const auto found = object.find("fields");
  if (found == object.end() || !found->is_object()) return fields;
  for (const auto& [name, value] : found->items()) {
    if (value.is_string()) fields[name] = value.get<std::string>();
    if (value.is_number_integer()) fields[name] = std::to_string(value.get<std::int64_t>());
  }
  return fields;
}

// `count` digits of `text` at `at`, which is advanced; nothing if there are fewer.
std::optional<int> digits(std::string_view text, std::size_t& at, std::size_t count) {
  if (text.size() - std::min(at, text.size()) < count) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < count; ++i) {
    const char digit = text[at + i];
    if (digit < '0' || digit > '9') return std::nullopt;
    value = 10 * value + (digit - '0');
  }
  at += count;
  return value;
}

bool skip(std::string_view text, std::size_t& at, std::string_view any_of) {
  if (at >= text.size() || any_of.find(text[at]) == std::string_view::npos) return false;
  ++at;
  return true;
}

// ".123456": to milliseconds.
std::chrono::milliseconds fraction(std::string_view text, std::size_t& at) {
  if (!skip(text, at, ".")) return {};
  int value = 0;
  for (int place = 100; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, place /= 10)
    value += place * (text[at] - '0');
  return std::chrono::milliseconds(value);
}

// "Z", "+01:00" or "-0130": what to subtract.
std::optional<std::chrono::minutes> offset(std::string_view text, std::size_t& at) {
  if (skip(text, at, "Zz")) return std::chrono::minutes(0);
  const bool west = at < text.size() && text[at] == '-';
  if (!skip(text, at, "+-")) return std::nullopt;
  const auto hours = digits(text, at, 2);
  skip(text, at, ":");
  const auto minutes = digits(text, at, 2);
  if (!hours || !minutes) return std::nullopt;
  const std::chrono::minutes all(*hours * 60 + *minutes);
  return west ? -all : all;
}
}  // namespace

ordered_json to_json(const Event& event) {
  ordered_json fields = ordered_json::object();
  for (const auto& [name, value] : event.fields) {
    const auto number = is_number(name) ? whole(value) : std::nullopt;
    if (number)
      fields[name] = *number;
    else
      fields[name] = value;
  }
  const auto text =
      event.text.size() <= longest_text ? event.text : event.text.substr(0, longest_text) + "...";
  const auto milliseconds =
      std::chrono::duration_cast<std::chrono::milliseconds>(event.when.time_since_epoch());
  return {{"id", event.id},
          {"time", rfc3339(event.time)},
          {"monotonic_s", static_cast<double>(milliseconds.count()) / 1e3},
          {"event", event.name},
          {"severity", to_string(event.severity)},
          {"router", event.router},
          {"virtual_router", event.virtual_router},
          {"fields", std::move(fields)},
          {"text", text}};
}

std::string to_line(const Event& event) {
  return to_json(event).dump(-1, ' ', false, ordered_json::error_handler_t::replace);
}

std::optional<Event> parse_line(std::string_view line) {
  const auto object = json::parse(line, nullptr, false);
  if (!object.is_object()) return std::nullopt;
  Event event;
  event.name = text_of(object, "event");
  const auto time = parse_rfc3339(text_of(object, "time"));
  const auto severity = parse_severity(text_of(object, "severity"));
  if (event.name.empty() || !time || !severity) return std::nullopt;
  event.time = *time;
  event.severity = *severity;
  event.id = text_of(object, "id");
  event.router = text_of(object, "router");
  event.virtual_router = text_of(object, "virtual_router");
  event.text = text_of(object, "text");
  event.fields = fields_of(object);
  const auto monotonic = object.find("monotonic_s");
  constexpr double furthest = 4e9;
  if (monotonic != object.end() && monotonic->is_number()) {
    const auto seconds = monotonic->get<double>();
    if (seconds >= 0 && seconds < furthest)
      event.when = TimePoint{std::chrono::milliseconds(std::llround(seconds * 1e3))};
  }
  return event;
}

std::string rfc3339(WallTime time) {
  const auto seconds = std::chrono::floor<std::chrono::seconds>(time);
  return fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:03d}Z",
                     fmt::gmtime(std::chrono::system_clock::to_time_t(seconds)), (time - seconds).count());
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  std::size_t at = 0;
  const auto year = digits(text, at, 4);
  const bool first = skip(text, at, "-");
  const auto month = digits(text, at, 2);
  const bool second = skip(text, at, "-");
  const auto day = digits(text, at, 2);
  const bool third = skip(text, at, "Tt ");
  const auto hour = digits(text, at, 2);
  const bool fourth = skip(text, at, ":");
  const auto minute = digits(text, at, 2);
  const bool fifth = skip(text, at, ":");
  const auto seconds = digits(text, at, 2);
  if (!first || !second || !third || !fourth || !fifth || !year || !month || !day || !hour || !minute ||
      !seconds)
    return std::nullopt;
  const auto milliseconds = fraction(text, at);
  const auto east = offset(text, at);
  const std::chrono::year_month_day date{std::chrono::year(*year),
                                         std::chrono::month(static_cast<unsigned>(*month)),
                                         std::chrono::day(static_cast<unsigned>(*day))};
  if (!east || at != text.size() || !date.ok() || *hour > 23 || *minute > 59 || *seconds > 60)
    return std::nullopt;
  return std::chrono::sys_days(date) + std::chrono::hours(*hour) + std::chrono::minutes(*minute) +
         std::chrono::seconds(*seconds) + milliseconds - *east;
}

}  // namespace vipd::events
