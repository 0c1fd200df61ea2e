#include "programs/monitor/exposition.h"

#include <fmt/format.h>

namespace vipd::programs {

namespace {

std::string escaped(std::string_view text) {
  std::string result;
  for (const char each : text) {
    if (each == '\\' || each == '"') result += '\\';
    if (each == '\n')
      result += "\\n";
    else
      result += each;
  }
  return result;
}

}  // namespace

double seconds_of(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

void Exposition::head(std::string_view name, std::string_view help, std::string_view type) {
  // Prometheus names a counter with its "_total", OpenMetrics without.
  const bool with_total = type == "counter" && format_ == Format::prometheus;
  const auto family = std::string(name) + (with_total ? "_total" : "");
  text_ += fmt::format("# HELP {} {}\n# TYPE {} {}\n", family, help, family, type);
  name_ = std::string(name) + (type == "counter" ? "_total" : "");
}

void Exposition::gauge(std::string_view name, std::string_view help) {
  head(name, help, "gauge");
}

void Exposition::counter(std::string_view name, std::string_view help) {
  head(name, help, "counter");
}

void Exposition::histogram(std::string_view name, std::string_view help) {
  head(name, help, "histogram");
}

void Exposition::sample(const Labels& labels, double value) {
  line(name_, labels, {}, fmt::format("{}", value));
}

void Exposition::sample(const Labels& labels, std::uint64_t value) {
  line(name_, labels, {}, fmt::format("{}", value));
}

void Exposition::sample(const Labels& labels, const Histogram& histogram) {
  std::uint64_t count = 0;
  for (std::size_t i = 0; i < Histogram::bounds.size(); ++i) {
    count += histogram.counts[i];
    line(name_ + "_bucket", labels, fmt::format("le=\"{}\"", seconds_of(Histogram::bounds[i])),
         std::to_string(count));
  }
  count += histogram.counts.back();
  line(name_ + "_bucket", labels, "le=\"+Inf\"", std::to_string(count));
  line(name_ + "_sum", labels, {}, fmt::format("{}", seconds_of(histogram.sum)));
  line(name_ + "_count", labels, {}, std::to_string(count));
}

void Exposition::line(std::string_view name, const Labels& labels, std::string_view more,
                      std::string_view value) {
  std::string inside;
  for (const auto& [label, text] : labels)
    inside += fmt::format("{}{}=\"{}\"", inside.empty() ? "" : ",", label, escaped(text));
  if (!more.empty()) inside += fmt::format("{}{}", inside.empty() ? "" : ",", more);
  text_ +=
      fmt::format("{}{}{}{} {}\n", name, inside.empty() ? "" : "{", inside, inside.empty() ? "" : "}", value);
}

std::string Exposition::take() {
  if (format_ == Format::open_metrics) text_ += "# EOF\n";
  return std::move(text_);
}

}  // namespace vipd::programs
