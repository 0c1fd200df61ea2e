// Exposition: metrics as text, in Prometheus' format (version 0.0.4) or OpenMetrics' (1.0.0), which differ in
// little. It knows no metric.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/histogram.h"
#include "base/time.h"

namespace vipd::programs {

enum class Format : std::uint8_t { prometheus, open_metrics };

// Metrics are in base units.
double seconds_of(Duration duration);

class Exposition {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string>>;

  explicit Exposition(Format format) : format_(format) {}

  // All samples of a metric come after its head. name: without the "_total" of counters; it may end in a
  // unit.
  void gauge(std::string_view name, std::string_view help);
  void counter(std::string_view name, std::string_view help);
  void histogram(std::string_view name, std::string_view help);

  void sample(const Labels& labels, double value);
  void sample(const Labels& labels, std::uint64_t value);
  void sample(const Labels& labels, const Histogram& histogram);

  // The whole, with what ends it.
  std::string take();

 private:
  void head(std::string_view name, std::string_view help, std::string_view type);
  void line(std::string_view name, const Labels& labels, std::string_view more, std::string_view value);

  Format format_;
  std::string text_;
  std::string name_;  // of the samples that follow
};

}  // namespace vipd::programs
