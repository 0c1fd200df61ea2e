#include "base/time.h"

#include <array>
#include <charconv>
#include <cmath>
#include <utility>

namespace vipd {

namespace {
struct Unit {
  std::string_view name;
  std::int64_t nanoseconds;
};
constexpr std::array<Unit, 7> units{{{"d", 86'400'000'000'000},
                                     {"h", 3'600'000'000'000},
                                     {"m", 60'000'000'000},
                                     {"s", 1'000'000'000},
                                     {"ms", 1'000'000},
                                     {"us", 1'000},
                                     {"ns", 1}}};

const Unit* find_unit(std::string_view name) {
  for (const auto& unit : units)
    if (unit.name == name) return &unit;
  return nullptr;
}
}  // namespace

std::string to_string(Duration duration) {
  if (duration == Duration::zero()) return "0s";
  const auto count = duration.count();
  // Days, hours and minutes only when they come out even; below that the largest unit that is not a fraction
  // of itself, with at most three decimals.
  for (const auto& unit : units) {
    // A single day is better known as 24h.
    if (unit.name == "d" && std::abs(count) <= unit.nanoseconds) continue;
    const bool even = count % unit.nanoseconds == 0;
    if (even) return std::to_string(count / unit.nanoseconds) + std::string(unit.name);
    const bool fraction_fits = unit.name == "s" || unit.name == "ms" || unit.name == "us";
    if (fraction_fits && std::abs(count) > unit.nanoseconds && count % (unit.nanoseconds / 1000) == 0) {
      auto digits = std::to_string(std::abs(count) % unit.nanoseconds / (unit.nanoseconds / 1000));
      digits.insert(0, 3 - digits.size(), '0');
      while (digits.back() == '0') digits.pop_back();
      return (count < 0 ? "-" : "") + std::to_string(std::abs(count) / unit.nanoseconds) + "." + digits +
             std::string(unit.name);
    }
  }
  return std::to_string(count) + "ns";
}

std::string in_words(Duration duration) {
  const auto milliseconds = std::chrono::round<std::chrono::milliseconds>(duration).count();
  if (milliseconds <= 0) return "0 s";
  if (milliseconds < 1000) return std::to_string(milliseconds) + " ms";
  if (const auto hundredths = (milliseconds + 5) / 10; hundredths < 1000) {
    auto fraction = std::to_string(100 + hundredths % 100).substr(1);
    while (!fraction.empty() && fraction.back() == '0') fraction.pop_back();
    return std::to_string(hundredths / 100) + (fraction.empty() ? "" : "." + fraction) + " s";
  }
  constexpr std::array<std::pair<std::int64_t, const char*>, 4> larger{
      {{86'400, " d"}, {3'600, " h"}, {60, " min"}, {1, " s"}}};
  auto left = (milliseconds + 500) / 1000;
  std::string text;
  for (const auto& [seconds, name] : larger) {
    const auto count = left / seconds;
    const bool is_second = !text.empty();
    if (count > 0) text += (is_second ? " " : "") + std::to_string(count) + name;
    left %= seconds;
    if (is_second) break;
  }
  return text;
}

Result<Duration> parse_duration(std::string_view text) {
  const std::string quoted = "\"" + std::string(text) + "\"";
  const auto end_of_number = text.find_first_not_of("0123456789.");
  const auto number = text.substr(0, end_of_number);
  const auto unit_name =
      end_of_number == std::string_view::npos ? std::string_view{} : text.substr(end_of_number);
  if (number.empty()) return failure(quoted + " is not a duration such as 500ms, 3s or 2m");
  if (unit_name.empty())
    return failure(quoted + " has no unit: write " + std::string(number) + "ms, " + std::string(number) +
                   "s or " + std::string(number) + "m");
  const auto* unit = find_unit(unit_name);
  if (!unit)
    return failure(quoted + " has the unknown unit \"" + std::string(unit_name) +
                   "\": use d, h, m, s, ms, us or ns");

  // Whole and fractional part apart, so that no value passes through a floating point number.
  const auto dot = number.find('.');
  const auto whole_text = number.substr(0, dot);
  const auto fraction_text = dot == std::string_view::npos ? std::string_view{} : number.substr(dot + 1);
  if (fraction_text.find('.') != std::string_view::npos ||
      (dot != std::string_view::npos && fraction_text.empty()) || whole_text.empty())
    return failure(quoted + " is not a duration such as 500ms, 3s or 2m");
  std::int64_t whole = 0;
  if (std::from_chars(whole_text.data(), whole_text.data() + whole_text.size(), whole).ec != std::errc{} ||
      whole > std::int64_t{1'000'000'000'000'000'000} / unit->nanoseconds)
    return failure(quoted + " is too long a duration");
  std::int64_t nanoseconds = whole * unit->nanoseconds;
  std::int64_t scale = unit->nanoseconds;
  for (const char digit : fraction_text) {
    if (scale % 10 != 0) return failure(quoted + " is finer than a nanosecond");
    scale /= 10;
    nanoseconds += (digit - '0') * scale;
  }
  return Duration{nanoseconds};
}

}  // namespace vipd
