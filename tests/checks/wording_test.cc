#include "checks/wording.h"

#include <doctest/doctest.h>

using vipd::checks::in_words;
using namespace std::chrono_literals;

TEST_CASE("measured times are short and rounded up") {
  CHECK(in_words(0ns) == "0.00 ms");
  CHECK(in_words(418us) == "0.42 ms");
  CHECK(in_words(3142us) == "3.2 ms");
  CHECK(in_words(50ms) == "50 ms");
  CHECK(in_words(500ms) == "500 ms");
  CHECK(in_words(500'300us) == "501 ms");
  CHECK(in_words(1500ms) == "1.5 s");
  CHECK(in_words(2s) == "2 s");
}
