#include "programs/monitor/metrics.h"

#include <doctest/doctest.h>

using namespace vipd;
using namespace vipd::programs;
using namespace std::chrono_literals;

namespace {
std::string text_of(const Programs& programs, std::vector<checks::CheckStatus> checks) {
  return metrics_text({nullptr, std::move(checks), programs, {}, TimePoint{100s}}, Format::prometheus);
}

bool has(const std::string& text, const std::string& line) {
  return text.find(line + "\n") != std::string::npos;
}
}  // namespace

TEST_CASE("metrics: how often a check runs is there to compare the age of its last result with") {
  checks::CheckStatus check;
  check.check = "web/nginx";
  check.kind = "http";
  check.interval = 2500ms;
  check.last_result = TimePoint{93s};
  const auto text = text_of({}, {check});
  CHECK(has(text, "vipd_check_interval_seconds{check=\"web/nginx\",kind=\"http\"} 2.5"));
  CHECK(has(text, "vipd_check_last_result_age_seconds{check=\"web/nginx\",kind=\"http\"} 7"));
}

TEST_CASE("metrics: the guardian runs, and nobody counts its restarts, which would always be none") {
  Programs programs;
  for (const auto* name : {"guardian", "router", "monitor"})
    programs.programs[name] = {42, TimePoint{40s}, 3};
  const auto text = text_of(programs, {});
  CHECK(has(text, "vipd_program_up{program=\"guardian\"} 1"));
  CHECK(has(text, "vipd_program_uptime_seconds{program=\"guardian\"} 60"));
  CHECK(has(text, "vipd_program_restarts_total{program=\"router\"} 3"));
  CHECK(text.find("restarts_total{program=\"guardian\"") == std::string::npos);
}
