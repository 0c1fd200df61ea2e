#include "programs/monitor/accept.h"

#include <doctest/doctest.h>

using namespace vipd::programs;

namespace {
bool open(std::string_view accept) {
  return accepted_format(accept) == Format::open_metrics;
}
}  // namespace

TEST_CASE("a client that says nothing, or takes anything, gets Prometheus' text") {
  for (const auto* each : {"", "*/*", "text/plain", "text/html, application/xhtml+xml, */*;q=0.8",
                           "application/json", ";;;,,,", "q=", ","})
    CHECK_FALSE(open(each));
}

TEST_CASE("OpenMetrics is for a client that names it before the text format") {
  CHECK(open("application/openmetrics-text"));
  CHECK(open("Application/OpenMetrics-Text; version=1.0.0; charset=utf-8"));
  CHECK(open("application/openmetrics-text, text/plain"));
  CHECK_FALSE(open("text/plain, application/openmetrics-text"));
}

TEST_CASE("what Prometheus sends gets OpenMetrics, unless it is set to prefer the text") {
  CHECK(
      open("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
           "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
  CHECK_FALSE(
      open("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1"));
}
