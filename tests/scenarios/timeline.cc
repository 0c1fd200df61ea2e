#include "tests/scenarios/timeline.h"

#include <fmt/format.h>

namespace vipd::scenarios {

std::string seconds(Duration duration) {
  return fmt::format("{:.3f}", std::chrono::duration<double>(duration).count());
}

void Timeline::say(TimePoint when, const std::string& who, const std::string& text) {
  lines_.push_back({when, who, text, false});
}

void Timeline::add(TimePoint when, const std::string& who, const std::string& text) {
  if (!lines_.empty() && lines_.back().open && lines_.back().when == when && lines_.back().who == who)
    lines_.back().text += ", " + text;
  else
    lines_.push_back({when, who, text, true});
}

std::string Timeline::text() const {
  std::string result;
  for (const auto& line : lines_)
    result += fmt::format("{:>8} {}{}{}\n", seconds(line.when - start_), line.who,
                          line.who.empty() ? "" : " ", line.text);
  return result;
}

}  // namespace vipd::scenarios
