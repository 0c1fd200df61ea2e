#include "base/lines.h"

#include <doctest/doctest.h>

using namespace vipd;

TEST_CASE("lines are complete, however their bytes are split") {
  const std::string sent = "one\n\ntwo\nthr";
  for (std::size_t piece = 1; piece <= sent.size(); ++piece) {
    Lines lines(100);
    std::string got;
    for (std::size_t i = 0; i < sent.size(); i += piece) {
      lines.append(std::string_view(sent).substr(i, piece));
      while (const auto line = lines.next()) got += "[" + *line + "]";
    }
    CHECK(got == "[one][][two]");
    lines.append("ee\n");
    CHECK(lines.next() == "three");
    CHECK_FALSE(lines.next());
  }
}

TEST_CASE("a line without an end becomes too long; many short ones do not") {
  Lines lines(10);
  for (int i = 0; i < 5; ++i) {
    lines.append("1234567\n1234567\n123");
    while (lines.next()) continue;
    CHECK_FALSE(lines.too_long());
    lines.append("\n");
    CHECK(lines.next() == "123");
  }
  lines.append("1234567890");
  CHECK_FALSE(lines.next());
  CHECK_FALSE(lines.too_long());
  lines.append("1");
  CHECK_FALSE(lines.next());
  CHECK(lines.too_long());
}

TEST_CASE("an incomplete line is a line only at the end of the stream") {
  Lines lines(10);
  lines.append("one\ntwo");
  CHECK(lines.next() == "one");
  CHECK_FALSE(lines.next());
  CHECK(lines.rest() == "two");
  CHECK_FALSE(lines.rest());
  lines.append("three\n");
  CHECK(lines.next() == "three");
  CHECK_FALSE(lines.rest());
}
