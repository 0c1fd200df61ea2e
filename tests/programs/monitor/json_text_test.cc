#include "programs/monitor/json_text.h"

#include <doctest/doctest.h>

#include <limits>
#include <nlohmann/json.hpp>
#include <string>

using nlohmann::json;
using vipd::JsonText;

TEST_CASE("JSON text: objects and lists inside each other, with commas where they belong") {
  JsonText out;
  out.begin('{');
  out("name", "edge");
  out.begin("empty", '[');
  out.end(']');
  out.begin("list", '[');
  for (int i = 1; i < 3; ++i) {
    out.begin('{');
    out("i", i);
    out.end('}');
  }
  out.value(nullptr);
  out.end(']');
  out("last", true);
  out.end('}');
  CHECK(out.take() == R"({"name":"edge","empty":[],"list":[{"i":1},{"i":2},null],"last":true})");
}

TEST_CASE("JSON text: whatever a text holds, it reads as it was written") {
  for (const std::string text :
       {"", "plain", "with \"quotes\" and \\", "line\nbreak\ttab", "\x01\x7f", "ümläut", "日本"}) {
    JsonText out;
    out.value(text);
    CHECK(json::parse(out.take()) == text);
  }
  JsonText out;
  out.value("not \xff UTF-8");
  CHECK(json::parse(out.take()) == "not \xef\xbf\xbd UTF-8");
}

TEST_CASE("JSON text: numbers keep their value") {
  JsonText out;
  out.begin('[');
  out.value(std::numeric_limits<std::uint64_t>::max());
  out.value(std::numeric_limits<std::int64_t>::min());
  out.value(static_cast<std::uint8_t>(200));
  out.value(0.1);
  out.value(-1e-9);
  out.end(']');
  CHECK(json::parse(out.take()) ==
        json{18446744073709551615U, std::numeric_limits<std::int64_t>::min(), 200, 0.1, -1e-9});
}

TEST_CASE("JSON text: times in milliseconds are exact") {
  using namespace std::chrono_literals;
  for (const vipd::Duration time :
       {0ns, 1ns, 999'999ns, vipd::Duration(1ms), vipd::Duration(1500us), vipd::Duration(-250ms),
        vipd::Duration(-1ns), vipd::Duration(24h), vipd::Duration(1'000'100ns)}) {
    JsonText out;
    out.value(vipd::InMilliseconds{time});
    CHECK(json::parse(out.take()).get<double>() ==
          doctest::Approx(static_cast<double>(time.count()) / 1e6).epsilon(1e-12));
  }
  JsonText out;
  out.value(vipd::InMilliseconds{1'050'000ns});
  CHECK(out.take() == "1.05");
}
