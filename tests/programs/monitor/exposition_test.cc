// Metrics as text: what Prometheus and OpenMetrics read.
#include "programs/monitor/exposition.h"

#include <doctest/doctest.h>

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

TEST_CASE("a counter has its total in every name for Prometheus, and in its samples for OpenMetrics") {
  const auto text = [](Format format) {
    Exposition out(format);
    out.counter("vipd_things", "Things.");
    out.sample({{"a", "x"}, {"b", "1"}}, std::uint64_t{7});
    return out.take();
  };
  CHECK(text(Format::prometheus) ==
        "# HELP vipd_things_total Things.\n# TYPE vipd_things_total "
        "counter\nvipd_things_total{a=\"x\",b=\"1\"} 7\n");
  CHECK(text(Format::open_metrics) ==
        "# HELP vipd_things Things.\n# TYPE vipd_things counter\nvipd_things_total{a=\"x\",b=\"1\"} 7\n# "
        "EOF\n");
}

TEST_CASE("what users write into names cannot break a line") {
  Exposition out(Format::prometheus);
  out.gauge("vipd_x", "X.");
  out.sample({{"name", "a\"b\\c\nd"}}, 0.5);
  CHECK(out.take() == "# HELP vipd_x X.\n# TYPE vipd_x gauge\nvipd_x{name=\"a\\\"b\\\\c\\nd\"} 0.5\n");
}

TEST_CASE("a histogram counts what is at most as long as each bound") {
  Histogram histogram;
  histogram.add(100us);
  histogram.add(3ms);
  histogram.add(20s);
  Exposition out(Format::prometheus);
  out.histogram("vipd_t_seconds", "T.");
  out.sample({}, histogram);
  const auto text = out.take();
  CHECK(text.find("vipd_t_seconds_bucket{le=\"0.0001\"} 1\n") != std::string::npos);
  CHECK(text.find("vipd_t_seconds_bucket{le=\"0.0025\"} 1\n") != std::string::npos);
  CHECK(text.find("vipd_t_seconds_bucket{le=\"0.005\"} 2\n") != std::string::npos);
  CHECK(text.find("vipd_t_seconds_bucket{le=\"10\"} 2\n") != std::string::npos);
  CHECK(text.find("vipd_t_seconds_bucket{le=\"+Inf\"} 3\n") != std::string::npos);
  CHECK(text.find("vipd_t_seconds_sum 20.0031\n") != std::string::npos);
  CHECK(text.find("vipd_t_seconds_count 3\n") != std::string::npos);
}
