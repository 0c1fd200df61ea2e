#include "base/time.h"

#include <doctest/doctest.h>

using namespace vipd;
using namespace std::chrono_literals;

TEST_CASE("durations are printed in the largest unit that says them exactly") {
  CHECK(to_string(Duration{1s}) == "1s");
  CHECK(to_string(Duration{100ms}) == "100ms");
  CHECK(to_string(Duration{1500ms}) == "1.5s");
  CHECK(to_string(Duration{2min}) == "2m");
  CHECK(to_string(Duration{61s}) == "61s");
  CHECK(to_string(Duration{24h}) == "24h");
  CHECK(to_string(Duration{24h * 180}) == "180d");
  CHECK(to_string(Duration{3'609'375us}) == "3609.375ms");
  CHECK(to_string(Duration{0s}) == "0s");
}

TEST_CASE("in sentences a duration has one or two units, as a person would say it") {
  CHECK(in_words(350ms) == "350 ms");
  CHECK(in_words(999'600us) == "1 s");
  CHECK(in_words(3'609'375us) == "3.61 s");
  CHECK(in_words(2s) == "2 s");
  CHECK(in_words(9'996ms) == "10 s");
  CHECK(in_words(59'700ms) == "1 min");
  CHECK(in_words(65s) == "1 min 5 s");
  CHECK(in_words(2h + 59s) == "2 h");
  CHECK(in_words(51h + 29min) == "2 d 3 h");
  CHECK(in_words(24h * 400) == "400 d");
  CHECK(in_words(0s) == "0 s");
  CHECK(in_words(-5s) == "0 s");
}

TEST_CASE("printed durations can be read back") {
  for (const Duration duration :
       {Duration{1s}, Duration{10ms}, Duration{1500ms}, Duration{1h}, Duration{24h}, Duration{24h * 180},
        Duration{40950ms}, Duration{123456789ns}, Duration{250us}})
    CHECK(parse_duration(to_string(duration)).value() == duration);
}

TEST_CASE("a duration without a unit, or with an unknown one, is an error that names the units") {
  CHECK(parse_duration("3").error().message == "\"3\" has no unit: write 3ms, 3s or 3m");
  CHECK(parse_duration("3sec").error().message ==
        "\"3sec\" has the unknown unit \"sec\": use d, h, m, s, ms, us or ns");
  CHECK(parse_duration("soon").error().message == "\"soon\" is not a duration such as 500ms, 3s or 2m");
  CHECK_FALSE(parse_duration("1.2.3s"));
  CHECK_FALSE(parse_duration(".5s"));
  CHECK_FALSE(parse_duration("99999999999999999999s"));
  CHECK_FALSE(parse_duration("9223372036854775807h"));
}
