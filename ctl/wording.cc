#include "ctl/wording.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "ctl/answer.h"

namespace vipd::ctl {

namespace {
constexpr std::string_view red = "31";
constexpr std::string_view green = "32";
constexpr std::string_view yellow = "33";
constexpr std::string_view cyan = "36";
}  // namespace

std::string age(double seconds) {
  if (seconds < 10) return fmt::format("{:.2f} s", seconds);
  if (seconds < 120) return fmt::format("{:.0f} s", seconds);
  if (seconds < 7200) return fmt::format("{:.0f} min", seconds / 60);
  if (seconds < 172800) return fmt::format("{:.0f} h", seconds / 3600);
  return fmt::format("{:.0f} d", seconds / 86400);
}

std::string waiting_reload(const nlohmann::json& status) {
  if (!part(status, "goes_back_in_s").is_number()) return {};
  return fmt::format(
      "a reload waits to be confirmed: in {} it goes back to what was before it, \"vipctl confirm\" keeps it",
      age(std::max(0.0, number(status, "goes_back_in_s"))));
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
