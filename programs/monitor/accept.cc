#include "programs/monitor/accept.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <string>

namespace vipd::programs {

namespace {
// The preference for a format, by the most specific of the ranges that include it.
struct Welcome {
  int specific = -1;  // 2: by its name, 1: "text/*", 0: "*/*", -1: not mentioned
  int quality = 0;    // in thousandths
};

struct Type {
  std::string_view name;
  std::string_view range;
  std::array<std::string_view, 2> versions;
};
// Prometheus also asks for the older version of OpenMetrics, which is the same for vipd's metrics.
constexpr Type open_metrics{"application/openmetrics-text", "application/*", {"1.0.0", "0.0.1"}};
constexpr Type text{"text/plain", "text/*", {"0.0.4", "0.0.4"}};

std::string_view trimmed(std::string_view part) {
  const auto begin = part.find_first_not_of(" \t");
  if (begin == std::string_view::npos) return {};
  return part.substr(begin, part.find_last_not_of(" \t") + 1 - begin);
}

// Up to the separator, which is removed too.
std::string_view next(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto part = rest.substr(0, end);
  rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
  return trimmed(part);
}

// "0.75", with at most three digits after the point. An invalid value counts as 1, like an absent one.
int parse_quality(std::string_view value) {
  if (value.empty() || (value[0] != '0' && value[0] != '1')) return 1000;
  int quality = (value[0] - '0') * 1000;
  int worth = 100;
  for (const char digit : value.substr(std::min<std::size_t>(value.size(), 2))) {
    if (std::isdigit(static_cast<unsigned char>(digit)) == 0 || worth == 0) break;
    quality += (digit - '0') * worth;
    worth /= 10;
  }
  return std::min(quality, 1000);
}

// One media range: "text/plain; version=0.0.4; q=0.5".
void take(std::string_view range, const Type& type, Welcome& welcome) {
  std::string name(next(range, ';'));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char each) { return static_cast<char>(std::tolower(each)); });
  const int specific = name == type.name ? 2 : name == type.range ? 1 : name == "*/*" ? 0 : -1;
  if (specific < 0 || specific < welcome.specific) return;
  int quality = 1000;
  while (!range.empty()) {
    auto parameter = next(range, ';');
    const auto key = next(parameter, '=');
    if (key == "q" || key == "Q") quality = parse_quality(trimmed(parameter));
    if (key != "version") continue;
    auto version = trimmed(parameter);
    if (version.size() > 1 && version.front() == '"') version = version.substr(1, version.size() - 2);
    if (std::find(type.versions.begin(), type.versions.end(), version) == type.versions.end()) return;
  }
  welcome = {specific, specific > welcome.specific ? quality : std::max(quality, welcome.quality)};
}
}  // namespace

Format accepted_format(std::string_view accept) {
  Welcome to_open_metrics;
  Welcome to_text;
  while (!accept.empty()) {
    const auto range = next(accept, ',');
    take(range, open_metrics, to_open_metrics);
    take(range, text, to_text);
  }
  if (to_open_metrics.quality != to_text.quality)
    return to_open_metrics.quality > to_text.quality ? Format::open_metrics : Format::prometheus;
  return to_open_metrics.specific == 2 && to_open_metrics.quality > 0 ? Format::open_metrics
                                                                      : Format::prometheus;
}

}  // namespace vipd::programs
