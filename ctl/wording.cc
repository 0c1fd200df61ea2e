#include "ctl/wording.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <nlohmann/json.hpp>

#include "base/time.h"
#include "ctl/answer.h"

namespace vipd::ctl {

namespace {
constexpr std::string_view green = "32";
constexpr std::string_view cyan = "36";
}  // namespace

std::string age(double seconds) {
  constexpr double longest = 1e9;  // in_words() counts nanoseconds
  const std::chrono::duration<double> duration(std::min(seconds, longest));
  return in_words(std::chrono::duration_cast<Duration>(duration));
}

std::string waiting_reload(const nlohmann::json& status) {
  if (!part(status, "goes_back_in_s").is_number()) return {};
  return fmt::format("unconfirmed reload: rolls back in {}; \"vipctl confirm\" keeps it",
                     age(number(status, "goes_back_in_s")));
}

std::string program_trouble(const std::string& name, const nlohmann::json& program) {
  const auto restarts = whole(program, "restarts");
  if (whole(program, "pid") == 0) return fmt::format("the {} program is not running", printable(name));
  if (restarts == 0) return {};
  return fmt::format("the {} program has been restarted {} time{}", printable(name), restarts,
                     restarts == 1 ? "" : "s");
}

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(
      std::count_if(text.begin(), text.end(), [](char each) { return (each & 0xc0) != 0x80; }));
}

std::vector<std::string> wrapped(std::string_view text, std::size_t columns) {
  std::vector<std::string> lines(1);
  for (std::size_t begin = 0; begin <= text.size();) {
    const auto end = std::min(text.find(' ', begin), text.size());
    const auto word = text.substr(begin, end - begin);
    if (!lines.back().empty() && characters(lines.back()) + 1 + characters(word) > columns) {
      while (lines.back().ends_with(' ')) lines.back().pop_back();
      lines.emplace_back();
    }
    if (!lines.back().empty()) lines.back() += ' ';
    for (const char each : word) {
      if ((each & 0xc0) != 0x80 && characters(lines.back()) >= columns) lines.emplace_back();
      lines.back() += each;
    }
    begin = end + 1;
  }
  return lines;
}

std::string_view state_colour(std::string_view state) {
  return state == "Active" ? green : state == "Backup" ? cyan : yellow;
}

std::string_view check_colour(std::string_view state) {
  return state == "up" ? green : state == "down" ? red : yellow;
}

std::string_view severity_colour(std::string_view severity) {
  return severity == "P0" ? red : severity == "P1" ? yellow : "";
}

std::string coloured(const std::string& word, std::string_view colour, bool colours) {
  return colours && !colour.empty() ? fmt::format("\033[{}m{}\033[0m", colour, word) : word;
}

}  // namespace vipd::ctl
