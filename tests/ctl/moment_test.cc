#include "ctl/moment.h"

#include <doctest/doctest.h>

#include <cstdlib>
#include <ctime>

#include "events/line.h"

using namespace vipd;
using namespace std::chrono_literals;

namespace {
// In a zone with an hour to spare, so that local time and UTC differ.
struct Berlin {
  Berlin() {
    setenv("TZ", "CET-1CEST,M3.5.0,M10.5.0/3", 1);
    tzset();
  }
  ~Berlin() {
    unsetenv("TZ");
    tzset();
  }
};

const auto now = events::parse_rfc3339("2026-11-21T11:27:30.500Z").value();

std::string moment(const std::string& text) {
  const auto time = ctl::parse_moment(text, now);
  return time ? events::rfc3339(*time) : time.error().message;
}
}  // namespace

TEST_CASE("a moment is a time ago, a time of day, a date, or a whole time stamp") {
  const Berlin here;
  CHECK(moment("now") == "2026-11-21T11:27:30.500Z");
  CHECK(moment("5m") == "2026-11-21T11:22:30.500Z");
  CHECK(moment("2d") == "2026-11-19T11:27:30.500Z");
  CHECK(moment("2026-11-21T10:00:00Z") == "2026-11-21T10:00:00.000Z");
  CHECK(moment("2026-11-21 10:00:00") == "2026-11-21T09:00:00.000Z");
  CHECK(moment("2026-11-21T10:00:00") == "2026-11-21T09:00:00.000Z");
  CHECK(moment("2026-07-01 10:00") == "2026-07-01T08:00:00.000Z");
  CHECK(moment("2026-11-21") == "2026-11-20T23:00:00.000Z");
  CHECK(moment("10:30") == "2026-11-21T09:30:00.000Z");
  CHECK(moment("10:30:15") == "2026-11-21T09:30:15.000Z");
  CHECK(moment("today") == "2026-11-20T23:00:00.000Z");
  CHECK(moment("yesterday") == "2026-11-19T23:00:00.000Z");
}

TEST_CASE("an invalid moment is an error that shows valid ones") {
  for (const auto* bad :
       {"", "soon", "5", "25:00", "2026-11-21 10:00:00 x", "-5m", "2026-02-30", "2026-02-30 10:00"})
    CHECK(moment(bad).ends_with(
        "is not a time: write 5m, 11:27, 2026-11-21, \"2026-11-21 11:27:00\" or yesterday"));
}
