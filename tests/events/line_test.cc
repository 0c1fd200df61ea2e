#include "events/line.h"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <set>

#include "events/names.h"
#include "vrrp/event_names.h"

using namespace vipd;
using namespace vipd::events;
using namespace std::chrono_literals;

namespace {
Event sample() {
  auto event =
      make_event(vrrp::events::state_changed, "Backup -> Active (priority 250): \"nothing\" heard\n", true);
  event.router = "edge";
  event.virtual_router = "VRID 51 on eth0 (IPv4)";
  event.fields = {{"state", "Active"}, {"priority", "250"}, {"check", "17"}};
  event.when = TimePoint{81234s + 125ms};
  event.id = "6920a1b2-17";
  event.time = parse_rfc3339("2026-11-21T11:27:00.123Z").value();
  return event;
}
}  // namespace

TEST_CASE("an event is one line of JSON, with its time in UTC first, and reads as the same event") {
  const auto line = to_line(sample());
  CHECK(
      line ==
      R"j({"id":"6920a1b2-17","time":"2026-11-21T11:27:00.123Z","monotonic_s":81234.125,"event":"state_changed",)j"
      R"j("severity":"P2","router":"edge","virtual_router":"VRID 51 on eth0 (IPv4)",)j"
      R"j("fields":{"check":"17","priority":250,"state":"Active"},)j"
      R"j("text":"Backup -> Active (priority 250): \"nothing\" heard\n"})j");
  const auto again = parse_line(line);
  REQUIRE(again);
  CHECK(*again == sample());
}

TEST_CASE("what is no event's line is left out: cut off, empty, or somebody else's") {
  const auto line = to_line(sample());
  for (std::size_t size = 0; size < line.size(); ++size) CHECK_FALSE(parse_line(line.substr(0, size)));
  CHECK_FALSE(parse_line("[1, 2]"));
  CHECK_FALSE(parse_line(R"({"event": "state_changed", "time": "soon", "severity": "P2"})"));
  CHECK_FALSE(parse_line(R"({"event": "state_changed", "time": "2026-11-21T11:27:00Z", "severity": "P3"})"));
  CHECK(parse_line(
      R"({"event": "of_the_future", "time": "2026-11-21T11:27:00Z", "severity": "P1", "new": 1})"));
}

TEST_CASE("a sentence without end is cut, and bytes that are no UTF-8 do no harm") {
  auto event = sample();
  event.text = std::string(100'000, 'x');
  CHECK(to_line(event).size() < 10'000);
  event.text = "\xff\xfe";
  CHECK(parse_line(to_line(event)).has_value());
}

TEST_CASE("times are read in any zone, and with any fraction") {
  const auto noon = parse_rfc3339("2026-11-21T12:00:00Z").value();
  CHECK(parse_rfc3339("2026-11-21T13:00:00+01:00") == noon);
  CHECK(parse_rfc3339("2026-11-21 06:30:00.000-0530") == noon);
  CHECK(parse_rfc3339("2026-11-21T12:00:00.1239Z") == noon + 123ms);
  CHECK(rfc3339(noon + 7ms) == "2026-11-21T12:00:00.007Z");
  for (const auto* bad :
       {"", "2026-11-21", "2026-11-21T12:00:00", "2026-13-21T12:00:00Z", "2026-02-30T12:00:00Z",
        "2026-11-21T24:00:00Z", "2026-11-21T12:00:00Zx", "2026-11-21T12:00:00+1"})
    CHECK_FALSE(parse_rfc3339(bad).has_value());
}

TEST_CASE("every event has its place in the catalogue once, and good news is never graver than bad") {
  std::set<std::string_view> names;
  for (const auto& kind : catalogue()) {
    CAPTURE(kind.name);
    CHECK(names.insert(kind.name).second);
    CHECK(kind.relieved >= kind.severity);
    CHECK_FALSE(kind.meaning.empty());
  }
  CHECK(make_event(check_changed, "down").severity == Severity::p1);
  CHECK(make_event(check_changed, "up", true).severity == Severity::p2);
  CHECK(make_event(vrrp::events::address_conflict, "").severity == Severity::p0);
  CHECK(find_kind("no_such_event") == nullptr);
}

TEST_CASE("severities are P0, P1 and P2") {
  for (const auto severity : {Severity::p0, Severity::p1, Severity::p2})
    CHECK(parse_severity(to_string(severity)) == severity);
  CHECK(parse_severity("p1") == Severity::p1);
  for (const auto* bad : {"", "P", "P3", "1", "P11", "warning"}) CHECK_FALSE(parse_severity(bad).has_value());
}
