#include "programs/monitor/accept.h"

#include <doctest/doctest.h>

using namespace vipd::programs;

namespace {
bool open(std::string_view accept) {
  return accepted_format(accept) == Format::open_metrics;
}
}  // namespace

TEST_CASE("a client that says nothing, or takes anything, gets Prometheus' text") {
  CHECK_FALSE(open(""));
  CHECK_FALSE(open("*/*"));
  CHECK_FALSE(open("text/plain"));
  CHECK_FALSE(open("text/html, application/xhtml+xml, */*;q=0.8"));
  CHECK_FALSE(open("application/json"));
}

TEST_CASE("OpenMetrics is for who asks for it by its name") {
  CHECK(open("application/openmetrics-text"));
  CHECK(open("Application/OpenMetrics-Text; version=1.0.0; charset=utf-8"));
  CHECK(open("text/plain, application/openmetrics-text"));
  CHECK(open("application/openmetrics-text;version=\"1.0.0\""));
}

TEST_CASE("quality values decide, as RFC 9110 section 12.5.1 has it") {
  CHECK_FALSE(open("application/openmetrics-text;q=0.5, text/plain"));
  CHECK_FALSE(open("application/openmetrics-text;q=0.5,text/plain;version=0.0.4;q=0.75"));
  CHECK(open("application/openmetrics-text;q=0.501, text/plain;q=0.5"));
  CHECK(open("application/openmetrics-text ; Q = 1.000 , text/plain;q=0.999"));
  CHECK_FALSE(open("application/openmetrics-text;q=0"));
  CHECK_FALSE_MESSAGE(open("application/openmetrics-text;q=0, */*"), "the more specific range counts");
  CHECK(open("text/plain;q=0, application/openmetrics-text;q=0.1"));
  CHECK(open("text/*;q=0.3, application/*;q=0.4"));
  CHECK_FALSE(open("text/*;q=0.4, application/*;q=0.4"));
}

TEST_CASE("what Prometheus sends gets OpenMetrics, unless it shall be the text") {
  CHECK(
      open("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
           "text/plain;version=0.0.4;q=0.5,*/*;q=0.1"));
  CHECK_FALSE(
      open("text/plain;version=0.0.4;q=0.6,application/openmetrics-text;version=1.0.0;q=0.5,*/*;q=0.1"));
}

TEST_CASE("a version that there is not is not what was asked for") {
  CHECK_FALSE(open("application/openmetrics-text;version=2.0.0, text/plain;q=0.1"));
  CHECK_FALSE(open("application/openmetrics-text;version=2.0.0"));
}

TEST_CASE("nonsense is no reason to refuse") {
  for (const auto* each : {";;;,,,", "q=", ",", "application/openmetrics-text;q", "a/b;q=x", "/;=", "*"})
    (void)accepted_format(each);
  CHECK(open("application/openmetrics-text;q=high, text/plain;q=0.9"));
}
